from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.waiting import eventually

NAMESPACE = "e2e-busy"


def replicas() -> str:
    return kubectl("get", "-n", NAMESPACE, "deployment/wordpress", "-o", "jsonpath={.spec.replicas}")


def test_pulumi_leaves_the_number_of_pods_to_the_autoscaler(make_stack: MakeStack) -> None:
    """The local platform has no metrics: what the autoscaler does without them is to keep to its bounds."""
    stack = make_stack("busy")
    stack.catalogue(
        f"""
        tenants:
          - name: {NAMESPACE}
            title: Busy
            adminEmail: busy@example.com
            plan: nano
            wordpress:
              autoscaling: {{minReplicas: 2, maxReplicas: 3}}
        """
    )
    stack.up()
    eventually("two replicas", lambda: replicas() == "2", namespace=NAMESPACE)
    kubectl("rollout", "status", "-n", NAMESPACE, "deployment/wordpress", "--timeout=120s")
    assert Site(NAMESPACE).serves("Busy")
    assert set(stack.preview().counts) == {"unchanged"}
    kubectl("scale", "-n", NAMESPACE, "deployment/wordpress", "--replicas=5")
    eventually("three replicas", lambda: replicas() == "3", namespace=NAMESPACE)
