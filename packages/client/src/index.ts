// Job submission, the job client and discovery of the leader.
export {}
