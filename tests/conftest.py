"""Options of all tests. TSB_BUILD names the folder of the programs."""
import pytest


def pytest_addoption(parser):
    parser.addoption("--share", metavar="N/M",
                     help="only the Nth of M shares of the files, for jobs side by side")


@pytest.hookimpl(trylast=True)      # of what -m and -k leave
def pytest_collection_modifyitems(config, items):
    if not config.option.share:
        return
    n, m = map(int, config.option.share.split("/"))
    files = sorted({item.path for item in items})
    mine = set(files[n - 1::m])
    config.hook.pytest_deselected(items=[i for i in items if i.path not in mine])
    items[:] = [i for i in items if i.path in mine]
