"""Who must say yes to a plan before it runs. An approval is bound to the plan's hash, so a changed plan
needs new ones. This room keeps nothing and decides nothing about the rollout itself."""

from rollway.approvals.policy import Approval, ApprovalState, approval_state, check_approval, same_name

__all__ = ["Approval", "ApprovalState", "approval_state", "check_approval", "same_name"]
