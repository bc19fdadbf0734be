"""The judge of party matching: data sets with truth, measures, and a bench at size.

Nothing here reads how the matcher works: it is called as any user of it would, by
`warehouse.matching.parties.group_parties`, and judged by what it leaves in the store.
"""
