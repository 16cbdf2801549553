from pathlib import Path

import pytest

from siteforge import catalogue, edits
from siteforge.errors import CatalogueError, SettingsError

FIELDS = "title: A\n    adminEmail: a@example.com"
BLOCK = f"""\
# The tenants of this stack.
tenants:
  - name: blog-aku   # the first
    {FIELDS}
    # a plan
    plan:   micro

  - name: shop
    {FIELDS}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tenants.yaml"
    path.write_bytes(text.encode())
    return path


def switched(folder: Path, text: str, on: bool, tenant: str = "blog-aku") -> str:
    path = write(folder, text)
    edits.switch(path, tenant, "suspended", on).write()
    after = path.read_bytes().decode()
    assert {spec.name: spec.suspended for spec in catalogue.load(path)}[tenant] is on
    return after


def test_a_field_comes_into_a_line_of_its_own_and_all_else_stays(tmp_path: Path) -> None:
    after = switched(tmp_path, BLOCK, True)
    assert after == BLOCK.replace("# the first\n", "# the first\n    suspended: true\n")
    assert switched(tmp_path, after, True) == after


def test_a_field_that_is_there_changes_its_value_and_keeps_its_comment(tmp_path: Path) -> None:
    text = BLOCK.replace("plan:   micro", "suspended:  true # unpaid since May")
    assert switched(tmp_path, text, False) == text.replace("true", "false")
    assert switched(tmp_path, text.replace("true", "false"), True) == text


def test_there_is_nothing_to_turn_off_where_there_is_no_field(tmp_path: Path) -> None:
    path = write(tmp_path, BLOCK)
    edit = edits.switch(path, "shop", "suspended", False)
    assert not edit.changes
    assert edit.diff == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "tenants:\n- {name: blog-aku, title: A, adminEmail: a@b.de} # one\n",
            "tenants:\n- {name: blog-aku, suspended: true, title: A, adminEmail: a@b.de} # one\n",
        ),
        (
            '{"tenants": [{"title": "Ä", "adminEmail": "a@b.de", "name" : "blog-aku"}]}',
            '{"tenants": [{"title": "Ä", "adminEmail": "a@b.de", "name" : "blog-aku", "suspended": true}]}',
        ),
        (
            "tenants:\r\n- title: Ä\r\n  adminEmail: a@b.de\r\n  name: 'blog-aku'\r\n",
            "tenants:\r\n- title: Ä\r\n  adminEmail: a@b.de\r\n  name: 'blog-aku'\r\n  suspended: true\r\n",
        ),
        (
            "\ufefftenants:\n- title: 🙂\n  adminEmail: a@b.de\n  name: blog-aku",
            "\ufefftenants:\n- title: 🙂\n  adminEmail: a@b.de\n  name: blog-aku\n  suspended: true\n",
        ),
    ],
    ids=["flow", "json", "crlf", "bom and no last line break"],
)
def test_every_layout_of_a_tenant_has_a_place_for_it(tmp_path: Path, before: str, after: str) -> None:
    assert switched(tmp_path, before, True) == after


def test_a_layout_without_a_safe_place_is_left_as_it_is(tmp_path: Path) -> None:
    text = "tenants:\n- ? name\n  : blog-aku\n  title: A\n  adminEmail: a@b.de\n"
    path = write(tmp_path, text)
    with pytest.raises(SettingsError, match="no safe place for `suspended: true` - write it yourself"):
        edits.switch(path, "blog-aku", "suspended", True)
    assert path.read_text() == text


def test_of_a_folder_the_file_of_the_tenant_is_changed(tmp_path: Path) -> None:
    one, many = tmp_path / "a.yaml", tmp_path / "b.yml"
    one.write_text("name: blog-aku\ntitle: A\nadminEmail: a@b.de # his\n")
    many.write_text("tenants:\n- {name: shop, title: A, adminEmail: a@b.de}\n")
    edit = edits.switch(tmp_path, "blog-aku", "suspended", True, "tenants/")
    edit.write()
    assert edit.diff == (
        "--- a/tenants/a.yaml\n+++ b/tenants/a.yaml\n@@ -1,3 +1,4 @@\n name: blog-aku\n+suspended: true\n"
        " title: A\n adminEmail: a@b.de # his\n"
    )
    assert one.read_text() == "name: blog-aku\nsuspended: true\ntitle: A\nadminEmail: a@b.de # his\n"
    edits.switch(tmp_path, "shop", "suspended", True).write()
    assert {spec.name: spec.suspended for spec in catalogue.load(tmp_path)} == {"blog-aku": True, "shop": True}
    with pytest.raises(CatalogueError, match="no tenant other"):
        edits.switch(tmp_path, "other", "suspended", True)


def test_a_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    path = write(tmp_path, BLOCK)
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path.name)
    edits.switch(link, "shop", "suspended", True).write()
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o640)
    assert "suspended" in path.read_text()
    assert {one.name for one in tmp_path.iterdir()} == {"tenants.yaml", "link.yaml"}


def test_a_file_that_somebody_changes_meanwhile_is_not_written(tmp_path: Path) -> None:
    path = write(tmp_path, BLOCK)
    edit = edits.switch(path, "shop", "suspended", True)
    path.write_text(BLOCK + "# more\n")
    with pytest.raises(SettingsError, match="somebody changed it"):
        edit.write()
    assert path.read_text() == BLOCK + "# more\n"


IMAGE = ("wordpress", "image")
NEW = "registry.example.com:5000/wordpress:6.9@sha256:" + "0" * 64


def assigned(path: Path, value: str | None, *tenants: str) -> str:
    for edit in edits.assign(path, IMAGE, dict.fromkeys(tenants or ("blog-aku",), value)):
        edit.write()
    images = {spec.name: spec.wordpress.image for spec in catalogue.load(path)}
    assert {images[name] for name in tenants or ("blog-aku",)} == {value}
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BLOCK, BLOCK.replace("# the first\n", f"# the first\n    wordpress:\n      image: {NEW}\n")),
        (
            BLOCK.replace("plan:   micro", "wordpress: # small\n      replicas: 2 # two"),
            BLOCK.replace("plan:   micro", f"wordpress: # small\n      image: {NEW}\n      replicas: 2 # two"),
        ),
        (
            BLOCK.replace("plan:   micro", "wordpress: {replicas: 2} # two"),
            BLOCK.replace("plan:   micro", f'wordpress: {{image: "{NEW}", replicas: 2}} # two'),
        ),
        (
            "tenants:\n- {name: blog-aku, title: A, adminEmail: a@b.de} # one\n",
            f'tenants:\n- {{name: blog-aku, wordpress: {{image: "{NEW}"}}, title: A, adminEmail: a@b.de}} # one\n',
        ),
        (
            '{"tenants": [{"title": "Ä", "adminEmail": "a@b.de", "name" : "blog-aku"}]}',
            '{"tenants": [{"title": "Ä", "adminEmail": "a@b.de", "name" : "blog-aku",'
            f' "wordpress": {{"image": "{NEW}"}}}}]}}',
        ),
        (
            "\ufefftenants:\r\n- title: Ä\r\n  adminEmail: a@b.de\r\n  name: 'blog-aku'\r\n",
            "\ufefftenants:\r\n- title: Ä\r\n  adminEmail: a@b.de\r\n  name: 'blog-aku'\r\n"
            f"  wordpress:\r\n    image: {NEW}\r\n",
        ),
    ],
    ids=["block", "part", "part in braces", "flow", "json", "crlf"],
)
def test_a_field_of_a_part_comes_in_and_goes_without_a_trace(tmp_path: Path, before: str, after: str) -> None:
    path = write(tmp_path, before)
    assert assigned(path, NEW) == after
    assert assigned(path, NEW) == after
    assert assigned(path, None) == before
    assert assigned(path, None) == before


@pytest.mark.parametrize("old", ["wordpress:6.8", '"wordpress:6.8"', "'wordpress:6.8'"])
def test_a_text_that_is_there_is_replaced_in_its_place(tmp_path: Path, old: str) -> None:
    text = BLOCK.replace("plan:   micro", f"wordpress: # it\n      image:   {old} # ours\n      replicas: 2")
    path = write(tmp_path, text)
    new = NEW if old[0] == "w" else f'"{NEW}"'
    assert assigned(path, NEW) == text.replace(old, new)
    assert assigned(path, "wordpress:6.8") == text.replace(old, old.replace("'", '"'))


def test_several_tenants_of_several_files_are_changed_at_once(tmp_path: Path) -> None:
    one, many = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text("name: alone\ntitle: A\nadminEmail: a@b.de\n")
    many.write_text(BLOCK)
    names = {"alone", "blog-aku", "shop"}
    for edit in edits.assign(tmp_path, IMAGE, dict.fromkeys(names, NEW)):
        edit.write()
    assert {spec.name: spec.wordpress.image for spec in catalogue.load(tmp_path)} == dict.fromkeys(names, NEW)
    for edit in edits.assign(tmp_path, IMAGE, dict.fromkeys(names)):
        edit.write()
    assert (one.read_text(), many.read_text()) == ("name: alone\ntitle: A\nadminEmail: a@b.de\n", BLOCK)
    with pytest.raises(CatalogueError, match="no tenant other"):
        edits.assign(tmp_path, IMAGE, {"other": NEW})


def test_a_part_that_somebody_commented_on_is_not_taken_away(tmp_path: Path) -> None:
    text = BLOCK.replace("plan:   micro", f"wordpress: # by hand\n      image: {NEW}")
    path = write(tmp_path, text)
    with pytest.raises(SettingsError, match="the tenant blog-aku is written in a way that leaves no safe place"):
        edits.assign(path, IMAGE, {"blog-aku": None})
    assert path.read_text() == text
