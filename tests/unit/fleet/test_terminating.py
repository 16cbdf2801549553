from siteforge.fleet.terminating import Held, remaining


def test_what_remains_is_read_from_the_conditions_as_the_namespace_controller_writes_them() -> None:
    left = ["configmaps. has 1 resource instances", "widgets.example.com has 2 resource instances"]
    message = f"Some resources are remaining: {', '.join(left)}"
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all resources discovered"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": message},
    ]
    assert remaining({"status": {"conditions": conditions}}) == [("configmaps", ""), ("widgets", "example.com")]
    assert remaining({}) == []


def test_what_holds_a_namespace_up_is_named_with_the_way_out() -> None:
    assert str(Held("blog", "configmaps/held", ("example.com/hold",))) == (
        "namespace blog is being deleted, and held up by configmaps/held, whose finalizer example.com/hold nobody takes"
        " away - have the controller that set it run, or if there is none any more: kubectl patch configmaps/held -n"
        """ blog --type=merge -p '{"metadata":{"finalizers":null}}'"""
    )


def test_a_finalizer_of_the_namespace_itself_is_named_as_its_own() -> None:
    assert "kubectl patch namespace/blog --type=merge" in str(Held("blog", "namespace/blog", ("example.com/hold",)))


def test_a_namespace_that_is_slow_without_a_finalizer_is_said_to_be() -> None:
    assert str(Held("blog")).startswith("namespace blog is being deleted, and not gone yet - look at")
