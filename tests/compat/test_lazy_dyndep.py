"""Libraries loaded when first needed."""

from __future__ import annotations

from c2lab.compat import lazy_dyndep


def test_lazily_too(capsys):
    lazy_dyndep.SetErrorHandler(print)
    lazy_dyndep.RegisterOpsLibrary("@/caffe2/ops:lazy")
    assert "ignored" in capsys.readouterr().out
    assert "@/caffe2/ops:lazy" in lazy_dyndep.GetImportedOpsLibraries()
