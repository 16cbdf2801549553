"""Pulumi components: they place what `siteforge.specs` computes, in order, and say what it depends on."""
