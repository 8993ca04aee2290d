# 400 forward and backward passes a case, those of all members together.
attack = dict(type="Strongest", num_passes=400, mode="all")
