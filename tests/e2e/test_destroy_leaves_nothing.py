from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.waiting import eventually


def test_pulumi_destroy_leaves_nothing(make_stack: MakeStack) -> None:
    stack = make_stack("gone")
    stack.catalogue(
        """
        tenants:
          - name: e2e-gone
            title: Gone
            adminEmail: gone@example.com
            plan: nano
        """
    )
    stack.up()
    stack.destroy()
    assert kubectl("get", "namespace", "e2e-gone", "--ignore-not-found") == ""
    volumes = "jsonpath={.items[?(@.spec.claimRef.namespace=='e2e-gone')].metadata.name}"
    eventually("the volumes to go", lambda: kubectl("get", "persistentvolumes", "-o", volumes) == "", seconds=60)
    assert stack.resources() == []
