"""The Kubernetes objects of a tenant, as plain dicts with Kubernetes' own field names.

Pure functions of a blueprint: no engine, no state, no cluster. The components place these objects;
whatever else has to know what a tenant should look like reads them from here too.
"""
