import re
from pathlib import Path

from tests.support.commands import run
from tests.support.stack import ROOT


def test_the_example_of_the_docs_runs_on_the_real_engine(running_cluster: None, tmp_path: Path) -> None:
    (code,) = re.findall("```python\n(.*?)```", (ROOT / "docs" / "embedding.md").read_text(), re.DOTALL)
    (tmp_path / "__main__.py").write_text(code)
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: own\nruntime:\n  name: python\n  options:\n    virtualenv: {ROOT / '.venv'}\n"
    )
    (tmp_path / "state").mkdir()
    environment = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase of this test",
    }

    def pulumi(*arguments: str, stdin: str = "") -> str:
        done = run(["pulumi", "--non-interactive", *arguments], cwd=tmp_path, env=environment, stdin=stdin)
        return done.stdout + done.stderr

    pulumi("stack", "init", "own")
    pulumi("config", "set", "--secret", "siteforgeSecret", stdin="a secret of the tests, long enough to be one")
    preview = pulumi("preview", "--diff")
    assert "siteforge:index:Tenant: (create)" in preview
    assert re.search(r"\+ 26 to create", preview), preview
    assert "http://wordpress.blog-aku.svc.cluster.local" in preview
    assert "long enough" not in preview
