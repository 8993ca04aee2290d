attack = dict(type="Square", objective=dict(type="Margin"), num_queries=1000)
