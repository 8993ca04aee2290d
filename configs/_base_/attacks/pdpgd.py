attack = dict(type="PDPGD", num_iterations=200)
