#!/usr/bin/env bash
# An attack as a SLURM array job: each task attacks every N-th case and writes a folder of its own; the last step merges.
#
#   sbatch --array=1-16 tools/slurm_attack.sh OUT SYSTEM... --attack NAME [any other option of rogseg attack]
#   sbatch --dependency=afterok:JOBID --wrap "rogseg report OUT/shard_* --out OUT/merged"
#
# A task that is preempted or runs out of time goes on where it stopped when it is requeued or submitted again. OUT, the
# system and the stored task lie on a file system that all nodes see. Fit the lines below to your cluster.
#SBATCH --job-name=rogseg-attack
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=%x_%A_%a.log
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: sbatch --array=1-N tools/slurm_attack.sh OUT SYSTEM... --attack NAME [OPTION...]" >&2
    exit 2
fi
: "${SLURM_ARRAY_TASK_ID:?submit with sbatch --array=1-N, or set SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT}"
if [ -z "${ROGSEG_SHARDS:-}" ] && { [ "${SLURM_ARRAY_TASK_MIN:-1}" != 1 ] || [ "${SLURM_ARRAY_TASK_STEP:-1}" != 1 ]; }; then
    echo "shards are counted from 1: submit with --array=1-N, or say with ROGSEG_SHARDS how many there are" >&2
    exit 2
fi
out=$1
shift
# Some tasks alone again: ROGSEG_SHARDS=16 sbatch --array=7,9 ...
shards=${ROGSEG_SHARDS:-${SLURM_ARRAY_TASK_COUNT:?}}
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
# exec, so that the signal before the time limit reaches rogseg, which then ends between two records.
exec "${ROGSEG:-rogseg}" attack "$@" --shard "$SLURM_ARRAY_TASK_ID/$shards" --out "$out/shard_$SLURM_ARRAY_TASK_ID"
