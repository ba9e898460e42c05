"""Six generators make a client of docs/openapi.yaml each, and the client does the main job: a key with a
policy, a request, a poll while an approver approves. What cannot be installed is skipped, with the reason."""
import base64
import os
import pathlib
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from approver import Approver
from client import public_key, unique

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "openapi.yaml"
PAYLOAD = b"pay 10 to bert"
MINUTES = 10 * 60


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Where programs that make clients are installed."""
    folder = pathlib.Path(os.environ.get("TSB_GENERATED") or tmp_path_factory.mktemp("installed"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(*command, cwd=None, **environment):
    """Standard output; fails with all that was said."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True,
                          timeout=MINUTES, env={**os.environ, **environment})
    assert done.returncode == 0, "%s\n%s\n%s" % (command, done.stdout[-4000:], done.stderr[-4000:])
    return done.stdout


def install(*command, cwd=None, **environment):
    """What needs a registry: where there is none, or no such program, the test is skipped."""
    if not shutil.which(str(command[0])):
        pytest.skip("%s is not here" % command[0])
    try:
        return run(*command, cwd=cwd, **environment)
    except (AssertionError, subprocess.TimeoutExpired) as why:
        pytest.skip("cannot be installed here: %s" % " ".join(str(why).split())[-300:])


def in_venv(kept, name, *packages):
    """The Python of an environment with these packages."""
    folder = kept / name
    if not (folder / "bin" / "python").exists():
        # a Python of today: generated clients use what 3.11 has
        install("python3", "-m", "venv", folder)
    install(folder / "bin" / "python", "-m", "pip", "-q", "install", *packages)
    return folder / "bin" / "python"


def from_npm(kept, *packages):
    folder = kept / "npm"
    folder.mkdir(exist_ok=True)
    if not (folder / "package.json").exists():
        (folder / "package.json").write_text('{"type": "module", "private": true}\n')
    if not all((folder / "node_modules" / p).exists() for p in packages):
        install("npm", "install", "--silent", "--no-audit", "--no-fund", *packages, cwd=folder)
    return folder


def openapi_generator(kept, language, out, *options):
    npm = from_npm(kept, "@openapitools/openapi-generator-cli")
    if not shutil.which("java"):
        pytest.skip("java is not here")
    program = npm / "node_modules" / ".bin" / "openapi-generator-cli"
    install(program, "version", cwd=npm)      # fetches the jar
    run(program, "generate", "-g", language, "-i", DOCUMENT, "-o", out, *options, cwd=npm)


def go_module(folder):
    (folder / "go.mod").write_text("module example.com/use\n\ngo 1.22\n")
    install("go", "mod", "tidy", cwd=folder, GOFLAGS="-mod=mod")
    run("go", "build", "-o", "use", ".", cwd=folder)
    return [folder / "use"]


@pytest.fixture
def main_job(api, environment):
    """Runs a client, approves what it asks for, and looks at the signature that it prints."""
    def job(command, cwd=None, **more):
        anna, key = Approver("p256", "anna"), unique("generated")
        client = subprocess.Popen(
            [str(c) for c in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**environment, **more, "KEY": key, "APPROVER": base64.b64encode(anna.spki).decode(),
                 "PAYLOAD": base64.b64encode(PAYLOAD).decode()})
        try:
            line = client.stdout.readline().split()
            if not line:
                pytest.fail(client.communicate(timeout=60)[1][-4000:])
            assert line[0] == "request"
            api.approve(anna, line[1])
            out, err = client.communicate(timeout=60)
        finally:
            client.kill()
        assert client.returncode == 0, err[-4000:]
        state, signature = out.split()
        assert state == "EXECUTED"
        public_key(api.post("/v1/key/attributes", {"label": key})).verify(
            base64.b64decode(signature), PAYLOAD, ec.ECDSA(hashes.SHA256()))
    return job


def test_openapi_python_client(kept, main_job, tmp_path):
    python = in_venv(kept, "openapi-python-client", "openapi-python-client")
    run(python.parent / "openapi-python-client", "generate", "--meta", "none", "--path", DOCUMENT,
        "--output-path", tmp_path / "open_transaction_security_broker_client",
        cwd=tmp_path, PATH="%s:%s" % (python.parent, os.environ["PATH"]))
    main_job([python, HERE / "use_openapi_python_client.py"], PYTHONPATH=str(tmp_path))


def test_openapi_generator_python(kept, main_job, tmp_path):
    openapi_generator(kept, "python", tmp_path)
    python = in_venv(kept, "openapi-generator-python", "-r", tmp_path / "requirements.txt")
    main_job([python, HERE / "use_openapi_generator.py"], PYTHONPATH=str(tmp_path))


def test_oapi_codegen(kept, main_job, tmp_path):
    if not (kept / "oapi-codegen").exists():
        install("go", "install", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@latest",
                GOBIN=str(kept))
    (tmp_path / "tsb").mkdir()
    run(kept / "oapi-codegen", "-generate", "types,client", "-package", "tsb",
        "-o", tmp_path / "tsb" / "tsb.go", DOCUMENT)
    shutil.copy(HERE / "use_oapi_codegen.go", tmp_path / "main.go")
    main_job(go_module(tmp_path))


def test_openapi_generator_go(kept, main_job, tmp_path):
    openapi_generator(kept, "go", tmp_path / "tsb", "--package-name", "tsb",
                      "--additional-properties", "withGoMod=false")
    shutil.rmtree(tmp_path / "tsb" / "test", ignore_errors=True)    # sketches, which want a module name
    shutil.copy(HERE / "use_openapi_generator.go", tmp_path / "main.go")
    main_job(go_module(tmp_path))


def test_openapi_generator_java(kept, main_job, tmp_path):
    openapi_generator(kept, "java", tmp_path)
    shutil.copy(HERE / "UseOpenapiGenerator.java", tmp_path / "src" / "main" / "java")
    install("mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath", cwd=tmp_path)
    sources = sorted((tmp_path / "src" / "main" / "java").rglob("*.java"))
    (tmp_path / "sources").write_text("\n".join(map(str, sources)))
    classpath = (tmp_path / "classpath").read_text().strip()
    run("javac", "-nowarn", "-d", "classes", "-cp", classpath, "@sources", cwd=tmp_path)
    main_job(["java", "-cp", "%s:%s" % (tmp_path / "classes", classpath), "UseOpenapiGenerator"])


def test_openapi_typescript(kept, main_job, tmp_path):
    npm = from_npm(kept, "openapi-typescript", "openapi-fetch", "typescript@5", "@types/node")
    made = npm / "use"
    made.mkdir(exist_ok=True)
    run(npm / "node_modules" / ".bin" / "openapi-typescript", DOCUMENT, "-o", made / "tsb.ts", cwd=npm)
    shutil.copy(HERE / "use_openapi_typescript.ts", made / "use.ts")
    run(npm / "node_modules" / ".bin" / "tsc", "--strict", "--target", "es2022", "--module", "nodenext",
        "--moduleResolution", "nodenext", "--skipLibCheck", "--types", "node", "use.ts", "tsb.ts", cwd=made)
    main_job(["node", made / "use.js"], cwd=made)
