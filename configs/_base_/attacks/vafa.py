attack = dict(type="VAFA", num_iterations=20)
