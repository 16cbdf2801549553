from siteforge import names
from siteforge.names import DATABASE, WORDPRESS
from siteforge.specs import database, suspended
from tests.support.blueprints import make

TENANT = make(suspended=True)


def test_no_service_and_no_controller_selects_the_pods_of_a_suspended_tenants_backup() -> None:
    for pod in suspended.pods_of(TENANT):
        labels = pod["metadata"]["labels"].items()
        for role in (DATABASE, WORDPRESS):
            assert not labels >= names.selector(TENANT.name, role).items()
        assert pod["metadata"]["namespace"] == names.namespace(TENANT.name)


def test_they_end_by_themselves_and_are_started_once() -> None:
    for pod in suspended.pods_of(TENANT):
        assert (pod["spec"]["restartPolicy"], pod["spec"]["activeDeadlineSeconds"]) == ("Never", 6 * 3600)


def test_the_database_is_the_tenants_own_and_the_files_can_only_be_read() -> None:
    data, files = suspended.pods_of(TENANT)
    own = database.stateful_set_spec(TENANT, "")["template"]["spec"]
    assert data["spec"].items() >= own.items()
    (container,) = files["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    assert mount["readOnly"]
    assert files["spec"]["volumes"] == [{"name": "content", "persistentVolumeClaim": {"claimName": WORDPRESS}}]
    assert (data["spec"]["containers"][0]["name"], container["name"]) == (DATABASE, WORDPRESS)
