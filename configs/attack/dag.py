# DAG: every voxel that is still right is pushed towards its second class.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/dag.py"]
