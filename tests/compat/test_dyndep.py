"""Libraries that are not there."""

from __future__ import annotations

from c2lab.compat import dyndep


def test_a_library_is_ignored_in_one_line(capsys):
    dyndep.InitOpsLibrary("@/caffe2/ops:once")
    dyndep.InitOpsLibrary("@/caffe2/ops:once")
    assert capsys.readouterr().out.count("@/caffe2/ops:once is ignored") == 1
    assert "@/caffe2/ops:once" in dyndep.GetImportedOpsLibraries()
