attack = dict(type="DAG", gamma=0.003, num_iterations=200, select="dice")
