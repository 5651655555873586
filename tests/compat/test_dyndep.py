"""Libraries that are not there."""

from __future__ import annotations

from c2lab.compat import dyndep, extension_loader, lazy, lazy_dyndep


def test_a_library_is_ignored_in_one_line(capsys):
    dyndep.InitOpsLibrary("@/caffe2/ops:once")
    dyndep.InitOpsLibrary("@/caffe2/ops:once")
    assert capsys.readouterr().out.count("@/caffe2/ops:once is ignored") == 1
    assert "@/caffe2/ops:once" in dyndep.GetImportedOpsLibraries()


def test_lazily_too(capsys):
    lazy_dyndep.SetErrorHandler(print)
    lazy_dyndep.RegisterOpsLibrary("@/caffe2/ops:lazy")
    assert "ignored" in capsys.readouterr().out
    assert "@/caffe2/ops:lazy" in lazy_dyndep.GetImportedOpsLibraries()


def test_deferred_imports_happen_at_once():
    seen = []
    lazy.RegisterLazyImport(lambda: seen.append(1))
    lazy.TriggerLazyImport()
    with extension_loader.DlopenGuard():
        assert seen == [1]
