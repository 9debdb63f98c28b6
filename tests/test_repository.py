"""What other repositories take from this one: the action, the workflow that uses it and the pre-commit hook, run as GitHub and pre-commit run them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = yaml.safe_load((ROOT / "docs" / "workflows" / "amo-opt-compare.yml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
PARAMETERS = "parameters/current.toml"
GATES = re.search(r"```toml\n(.+?)```", (ROOT / "docs" / "compare.md").read_text(encoding="utf-8"), re.DOTALL)[1]
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull} | {
    f"GIT_{who}_{what}": "nobody@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@dataclass(frozen=True)
class Ran:
    """What a step of bash left behind."""

    status: int
    said: str
    summary: str
    outputs: dict[str, str]


class Job:
    """A job on a machine of GitHub's, as far as ours ask for one: a workspace that is a checkout, and a Python of its own."""

    def __init__(self, workspace: Path, bin_folder: Path, base: str) -> None:
        self.workspace = workspace
        self.temp = workspace.parent / f"{workspace.name}-temp"
        self.temp.mkdir()
        self.bin = bin_folder
        self.known = {"github.event.pull_request.base.sha": base, "runner.temp": str(self.temp)}

    def filled(self, text: object) -> str:
        """A value with its expressions worked out; one that GitHub would not know, or that nobody here foresaw, is a `KeyError`."""
        return EXPRESSION.sub(lambda found: self.known[found[1]], str(text))

    def begin(self, given: dict[str, str]) -> None:
        """The action's inputs as a workflow gives them; GitHub only warns of one that is not declared."""
        assert given.keys() <= ACTION["inputs"].keys()
        assert {name for name, each in ACTION["inputs"].items() if each.get("required")} <= given.keys()
        values = {name: each.get("default") for name, each in ACTION["inputs"].items()} | given
        self.known |= {f"inputs.{name}": self.filled(value) for name, value in values.items()}

    def run(self, step: dict[str, object], **more: str) -> Ran:
        """One step as GitHub runs `shell: bash`, in a file of its own."""
        assert step["shell"] == "bash"
        files = {name: self.temp / name for name in ("script.sh", "summary.md", "output.txt")}
        files["script.sh"].write_text(str(step["run"]), encoding="utf-8")
        for each in ("summary.md", "output.txt"):
            files[each].write_text("", encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GITHUB_"))}
        environment |= NOBODY | {name: self.filled(value) for name, value in step.get("env", {}).items()}
        environment |= {
            "PATH": f"{self.bin}{os.pathsep}{environment['PATH']}",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_ACTION_PATH": str(self.workspace / ".amo-opt"),
            "GITHUB_STEP_SUMMARY": str(files["summary.md"]),
            "GITHUB_OUTPUT": str(files["output.txt"]),
            "RUNNER_TEMP": str(self.temp),
            **more,
        }
        call = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", files["script.sh"]]
        done = subprocess.run(call, cwd=self.workspace, env=environment, capture_output=True, text=True, check=False, timeout=300)
        outputs = dict(line.split("=", 1) for line in files["output.txt"].read_text(encoding="utf-8").splitlines())
        return Ran(done.returncode, done.stdout + done.stderr, files["summary.md"].read_text(encoding="utf-8"), outputs)


def git(folder, *call):
    told = subprocess.run(["git", *call], cwd=folder, env=os.environ | NOBODY, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def steps(kind):
    return [step for step in ACTION["runs"]["steps"] if kind in step]


@pytest.fixture(scope="module")
def python(tmp_path_factory, need_module):
    """The folder of programs of a Python that has what this one has but for amo-opt, which the action brings."""
    need_module("hatchling", "test")
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    outside = [each for each in sys.path if each.endswith(("site-packages", "dist-packages"))]
    (own / "outside.pth").write_text("".join(f"{each}\n" for each in outside), encoding="utf-8")
    return own, folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    """Somebody's repository, laid out as the workflow says; its first commit is what pull requests are measured against."""
    folder = tmp_path_factory.mktemp("protocol") / "repository"
    for name in (
        "states/minimal.toml",
        "behaviour/frax-2022.toml",
        "behaviour/spells-2022.toml",
        "behaviour/spells-2022.csv",
        "parameters/minimal.toml",
    ):
        (folder / "studies" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "studies" / name, folder / "studies" / name)
    shutil.copy(ROOT / "studies" / "minimal.toml", folder / "studies" / "study.toml")
    (folder / "parameters").mkdir()
    shutil.copy(ROOT / "studies" / "parameters" / "minimal.toml", folder / PARAMETERS)
    (folder / "gates.toml").write_text(GATES, encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "theirs"\n', encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return folder


@pytest.fixture
def pull_request(protocol, python, tmp_path):
    """A job on a pull request that changes some files: ``pull_request({"gates.toml": text})``, with the checkouts that the workflow asks for made."""

    def opened(changes):
        workspace = tmp_path / "workspace"
        git(tmp_path, "clone", "--quiet", protocol, workspace)
        base = git(workspace, "rev-parse", "HEAD")
        git(workspace, "checkout", "--quiet", "-b", "change")
        for name, text in changes.items():
            (workspace / name).write_text(text, encoding="utf-8")
        git(workspace, "commit", "--quiet", "--all", "--message", "a change")
        first, second, _ = WORKFLOW["jobs"]["compare"]["steps"]
        assert first["with"]["fetch-depth"] == 0
        (workspace / second["with"]["path"]).symlink_to(ROOT)
        return Job(workspace, python[1], base)

    return opened


@pytest.fixture(scope="module")
def installed(python, protocol):
    """The action's own step has installed amo-opt from the action's checkout, and what is compiled is brought along."""
    own, programs = python
    job = Job(protocol, programs, "")
    (protocol / ".amo-opt").symlink_to(ROOT)
    job.begin({"parameters": "", "study": ""})
    without_network = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    install, _ = steps("run")
    ran = job.run(install, **without_network)
    assert ran.status == 0, ran.said
    for each in (ROOT / "amo_opt").rglob("*.nbc"):
        place = own / each.relative_to(ROOT)
        place.parent.mkdir(exist_ok=True)
        shutil.copy(each, place)
    return programs


def judged(job, **given):
    """The workflow's last step on that job, with few paths: what the action's step ``compare`` left."""
    *_, use = WORKFLOW["jobs"]["compare"]["steps"]
    assert job.workspace / use["uses"] == job.workspace / ".amo-opt"
    job.begin({"paths": "30", **use["with"], **given})
    _, compare = steps("run")
    ran = job.run(compare)
    job.known["steps.compare.outputs.status"] = ran.outputs["status"]
    assert job.filled(ACTION["outputs"]["status"]["value"]) == str(ran.status)
    return ran


def uploaded(job):
    """Names of what the action's last step would upload."""
    *_, upload = steps("uses")
    return sorted(each.name for each in Path(job.filled(upload["with"]["path"])).glob("*"))


def changed(**values):
    """The set in force with other values of some parameters."""
    text = (ROOT / "studies" / "parameters" / "minimal.toml").read_text(encoding="utf-8")
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{name} = .+$", f"{name} = {value}", text)
        assert count == 1
    return text


def test_a_harmless_change_passes(pull_request, installed):
    """Another name and the same values: status 0, no annotation, the verdict in the summary and in the uploaded folder."""
    job = pull_request({PARAMETERS: changed(name='"renamed"')})
    ran = judged(job)
    assert ran.status == 0, ran.said
    assert "::" not in ran.said
    assert "PASS" in ran.summary
    assert uploaded(job) == ["run.json", "verdict.json"]


def test_a_reckless_change_fails_at_its_lines(pull_request, installed):
    """Nothing kept idle and more lent: status 1, errors at the changed lines of the file as the pull request has it, and gates that change with it are told."""
    text = changed(aave_cap=1.0, idle_buffer=0.0)
    job = pull_request({PARAMETERS: text, "gates.toml": GATES + "# looser\n"})
    ran = judged(job)
    assert ran.status == 1, ran.said
    for name in ("aave_cap", "idle_buffer"):
        line = 1 + [each.split(" ")[0] for each in text.splitlines()].index(name)
        assert f"::error file={PARAMETERS},line={line},title={name}" in ran.said
    assert "::warning title=amo-opt compare::judged by files that change with it: gates.toml" in ran.said
    assert "FAIL" in ran.summary
    assert uploaded(job) == ["run.json", "verdict.json"]


def test_garbage_is_status_2(pull_request, installed):
    """What is wrong stands in the summary and in one annotation, nothing is uploaded, and no text of the file is a command of its own."""
    job = pull_request({PARAMETERS: 'schema = 1\nname = "x\\n::error::pwned"\namplification = "much"\n'})
    ran = judged(job)
    assert ran.status == 2, ran.said
    (annotation,) = [line for line in ran.said.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=amo-opt compare::")
    assert "amplification" in annotation
    assert "no verdict" in ran.summary
    assert "amplification" in ran.summary
    assert uploaded(job) == []


def test_inputs_are_never_run(pull_request, installed):
    """No expression stands in a script, and a path that would be a command is a path that is not there."""
    for step in steps("run"):
        assert "${{" not in step["run"]
    job = pull_request({PARAMETERS: changed(idle_buffer=0.6)})
    for path in ('$(touch pwned)"; touch pwned; ".toml', "--output=pwned"):
        ran = judged(job, parameters=path)
        assert ran.status == 2, ran.said
        assert "the base has no such parameter file" in ran.summary
    assert not list(job.workspace.glob("*pwned*"))


def test_nothing_of_others_moves_unseen():
    """Every action of others is taken at a whole commit; the commit of this repository is the reader's to set."""
    others = [step["uses"] for step in [*steps("uses"), *WORKFLOW["jobs"]["compare"]["steps"]] if not step["uses"].startswith("./")]
    assert len(others) == 4
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in others)


def hooked(folder):
    """Files that pre-commit would hand to the hook, by its `files` and `types`."""
    assert HOOK["types"] == ["toml"]
    return [name for name in git(folder, "ls-files").splitlines() if name.endswith(".toml") and re.search(HOOK["files"], name)]


def test_the_hook_checks_what_is_ours(protocol, installed, tmp_path):
    """Study, state, behaviour, parameters and gates, nothing else; a wrong one fails."""
    folder = tmp_path / "repository"
    git(tmp_path, "clone", "--quiet", protocol, folder)
    files = hooked(folder)
    assert sorted(files) == [
        "gates.toml",
        PARAMETERS,
        "studies/behaviour/frax-2022.toml",
        "studies/behaviour/spells-2022.toml",
        "studies/parameters/minimal.toml",
        "studies/states/minimal.toml",
        "studies/study.toml",
    ]
    program, *rest = shlex.split(HOOK["entry"])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for text, status in ((changed(), 0), (changed(idle_buffer=2.0), 1)):
        (folder / PARAMETERS).write_text(text, encoding="utf-8")
        call = [installed / program, *rest, *files]
        done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == status, done.stderr
    assert "idle_buffer" in done.stderr


@pytest.mark.campaign
def test_pre_commit_takes_the_hook(protocol, missing, tmp_path):
    """`pre-commit try-repo` clones this repository, installs it with everything it needs, and says the same."""
    if not (ROOT / ".git").exists() or shutil.which("pre-commit", path=str(Path(sys.executable).parent)) is None:
        missing("pre-commit and a clone of the repository are needed: pip install 'amo-opt[dev]' in a clone")
    folder = tmp_path / "repository"
    git(tmp_path, "clone", "--quiet", protocol, folder)
    call = [Path(sys.executable).parent / "pre-commit", "try-repo", ROOT, HOOK["id"], "--all-files", "--verbose"]
    environment = os.environ | NOBODY | {"PRE_COMMIT_HOME": str(tmp_path / "kept")}
    environment.pop("PYTHONPATH", None)
    for text, status, told in ((changed(), 0, "Passed"), (changed(idle_buffer=2.0), 1, "idle_buffer")):
        (folder / PARAMETERS).write_text(text, encoding="utf-8")
        git(folder, "add", ".")
        done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=1200)
        assert done.returncode == status, done.stdout + done.stderr
        assert told in done.stdout
