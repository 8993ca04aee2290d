attack = dict(type="PAdam", objective=dict(type="CrossEntropy"), num_iterations=200, select="dice")
