from tests.e2e.conftest import MakeStack

LINE = "name: {}\ntitle: A site of the tests\nadminEmail: owner@example.com\nplan: nano\n"


def test_each_file_has_a_tenant_and_an_edit_finds_the_one_it_is_about(make_stack: MakeStack) -> None:
    stack = make_stack("folder")
    stack.configure("catalogue", "tenants")
    folder = stack.folder / "tenants"
    folder.mkdir()
    for name in ("e2e-one", "e2e-two"):
        (folder / f"{name}.yaml").write_text(LINE.format(name))
    assert "2 of 2 tenants previewed, 2 in all" in stack.siteforge("preview").stdout
    assert (
        "tenants/e2e-two.yaml: e2e-two is now suspended" in stack.siteforge("suspend", "e2e-two", "--edit-only").stdout
    )
    assert [path.read_text().count("suspended: true") for path in sorted(folder.iterdir())] == [0, 1]

    (folder / "third.yaml").write_text(LINE.format("e2e-one"))
    refused = stack.siteforge("preview", "--output", "json", check=False)
    assert refused.returncode == 2
    assert "tenants/third.yaml:1:7: name: the same name as the tenant in tenants/e2e-one.yaml:1" in refused.stderr
    plain = stack.pulumi("preview", check=False)
    assert plain.returncode != 0
    assert "tenants/third.yaml:1:7: name: the same name" in plain.stdout + plain.stderr
