"""Approvers of a test run."""
from approver import Approver


class People:
    """Approvers are made once per run: keys are dear."""

    def __init__(self):
        self.made = {}

    def __call__(self, kind="p256", n=0, certificate=False, digest=None):
        key = (kind, n, certificate, digest)
        if key not in self.made:
            self.made[key] = Approver(kind, "%s-%d" % (kind, n), digest, certificate)
        return self.made[key]

    def several(self, n, kind="p256"):
        return [self(kind, i) for i in range(n)]
