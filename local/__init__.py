"""The local platform: toolchain, images and a Kubernetes cluster, made from package registries alone.

It serves machines that have no Pulumi or no cluster. Nothing under `siteforge/` imports it.
Standard library only, because it runs before anything is installed.
"""
