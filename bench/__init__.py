"""`make bench`: Siteforge against its peers and the floor, in one harness and one run.

Each peer declares the same objects and is held to the same guarantee: a piece of work is over when each tenant's
Deployment and StatefulSet are ready and each of its Services has a ready endpoint (docs/performance.md).
"""
