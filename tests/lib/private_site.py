"""A private site of tools/site for the time of a test run."""
import copy
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOL = ROOT / "tools" / "site"

# A run that is told to end takes its sites down like one that is interrupted.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def build_dir() -> pathlib.Path:
    """Where the programs are: a build configured with --enable-test-hooks."""
    path = os.environ.get("TSB_BUILD")
    if not path:
        raise RuntimeError("TSB_BUILD must name a build folder (configure --enable-test-hooks)")
    return pathlib.Path(path).resolve()


class Site:
    """profile "air-gapped": without an HSM, pins say whom it believes: pairs of an option of tools/site
    (-A, -O, -R) and a PEM file. database False: for synchronous calls only. hsm_url: an address, "web"
    for the HSM behind the web server, "" for its own socket; hsm_login: lines of [hsm] in the place of
    the API key there. nodes: several, with so many HSM programs behind them."""

    def __init__(self, web="nginx", dispatchers=None, build=None, keep=False, settings="",
                 hsm_url="", hsm_login="", profile="online", database=True, pins=(), nodes=None,
                 hsms=1):
        self.web, self.profile, self.database = web, profile, database
        self.build = pathlib.Path(build) if build else build_dir()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tsb-site-"))
        # The programs run as another user; the folder itself holds no secret.
        self.dir.chmod(0o755)
        self.port = 0
        self.keep = keep
        self.options = ["-P", profile] + ([] if database else ["-N"])
        self.options += [] if dispatchers is None else ["-D", str(dispatchers)]
        self.options += ["--nodes", str(nodes), "--hsm", str(hsms)] if nodes else []
        for option, path in pins:
            self.options += [option, str(path)]
        hooks = self.dir.with_name(self.dir.name + "-hooks")
        hooks.mkdir(mode=0o777)
        hooks.chmod(0o777)
        self.hooks = hooks
        self.clock_file, self.fault_file = hooks / "clock", hooks / "faults"
        # A moved clock wakes nobody: dispatchers look often instead.
        (hooks / "settings").write_text("\n[dispatcher]\npollInterval = 100\n"
                                        "cleanupInterval = 1000\n%s" %
                                        ("" if "pauseMax" in settings else "pauseMax = 1\n") +
                                        settings)
        self.environ = dict(os.environ, TSB_TEST_CLOCK=str(self.clock_file),
                            TSB_TEST_FAULTS=str(self.fault_file),
                            TSB_SITE_SETTINGS=str(hooks / "settings"), TSB_SITE_HSM_URL=hsm_url)
        if hsm_login:
            (hooks / "login").write_text(hsm_login + "\n")
            self.environ["TSB_SITE_HSM_LOGIN"] = str(hooks / "login")
        self.offset = 0
        self.forward(0)
        self.set_faults([])
        self.up()

    def _tool(self, *args, check=True):
        done = subprocess.run([str(TOOL), *args], env=self.environ, text=True, timeout=180,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if check and done.returncode:
            raise RuntimeError("tools/site %s: status %d\n%s" % (
                " ".join(args), done.returncode, done.stdout))
        return done.stdout

    def up(self):
        self._tool("up", "-d", str(self.dir), "-p", str(self.port), "-w", self.web,
                   "-b", str(self.build), *self.options)
        self.vars = self.env()
        self.url = self.vars["TSB_URL"].rstrip("/")
        self.port = int(self.url.rsplit(":", 1)[1])

    def env(self) -> dict:
        out = {}
        for line in self._tool("env", "-d", str(self.dir)).splitlines():
            for word in shlex.split(line):
                name, eq, value = word.partition("=")
                if eq:
                    out[name] = value
        return out

    def part(self, command, part):
        """start, stop, restart, kill, pause or resume one part: db, hsm, fcgi, dispatcher, web; of
        several nodes db2 and the like, and cut and mend databases"""
        self._tool(command, part, "-d", str(self.dir))

    def pin(self, *pins):
        """Believes more keys from now on; pairs like those of the constructor."""
        self._tool("pin", "-d", str(self.dir), *[str(x) for pin in pins for x in pin])

    def down(self):
        if self.keep:
            self._tool("down", "-d", str(self.dir), check=False)
        else:
            self._tool("wipe", "-d", str(self.dir), check=False)
            shutil.rmtree(self.hooks, ignore_errors=True)

    def node(self, n):
        """Of several nodes the nth alone, without the balancer, for Client and sql()."""
        seen = copy.copy(self)
        seen.url = self.vars["TSB_NODE%d_URL" % n]
        seen.vars = {**self.vars, "TSB_DB_SOCKET": self.vars["TSB_NODE%d_DB_SOCKET" % n]}
        return seen

    def sql(self, text):
        """Rows of a query by the owner of the database, as lists of texts."""
        done = subprocess.run(["mariadb", "--no-defaults", "-S", self.vars["TSB_DB_SOCKET"], "-N",
                               "-B", "tsb"], input=text, text=True, stdout=subprocess.PIPE,
                              check=True, timeout=60)
        return [line.split("\t") for line in done.stdout.splitlines()]

    # -- hooks of test builds --

    def forward(self, seconds):
        """Moves the clock of all programs, always forward, as clocks do."""
        self.offset += seconds
        new = self.clock_file.with_suffix(".new")
        new.write_text("%d\n" % self.offset)
        new.chmod(0o666)
        new.rename(self.clock_file)

    def catch_up(self, other):
        """Time that passed for the other site has passed here as well."""
        if other.offset > self.offset:
            self.forward(other.offset - self.offset)

    def set_faults(self, lines):
        """Lines "point value"; each is used up by the first process that passes the point."""
        self.fault_file.write_text("".join("%s %s\n" % line for line in lines))
        self.fault_file.chmod(0o666)

    def faults_left(self):
        return [tuple(line.split()) for line in self.fault_file.read_text().splitlines()]
