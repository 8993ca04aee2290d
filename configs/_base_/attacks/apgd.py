attack = dict(type="APGD", objective=dict(type="CrossEntropy"), num_iterations=20, num_restarts=1, select="dice")
