"""What becomes of a request: a model of the workflow that shares nothing with the programs."""


class Request:
    """rule in the JSON form of the API; approvers are named by their key in base64."""

    def __init__(self, rule, now):
        self.tokens = rule["tokens"]
        self.start = now
        self.approved, self.rejected = set(), set()
        self.ended = None

    def needed(self, token):
        """Groups as (quorum, set of approvers)."""
        return [(g["quorum"], {a["value"] for a in g["approvals"]}) for g in token["groups"] or []]

    def over(self, token, now):
        return token["timeout"] and now >= self.start + token["timeout"]

    def complete(self, token):
        return all(len(who & self.approved) >= quorum for quorum, who in self.needed(token))

    def possible(self, token):
        return all(len(who - self.rejected) >= quorum for quorum, who in self.needed(token))

    def state(self, now):
        """A set of states: more than one where the description of the API leaves it open."""
        if self.ended:
            return {self.ended}
        alive = [t for t in self.tokens if not self.over(t, now)]
        if not alive:
            return {"EXPIRED"}
        complete = [t for t in alive if self.complete(t)]
        if any(now >= self.start + t["timelock"] for t in complete):
            return {"EXECUTED"}
        if complete:
            return {"APPROVED"}
        if not any(self.possible(t) for t in alive):
            # All that is left was rejected; what was over before could not have been met either.
            return {"REJECTED"} if len(alive) == len(self.tokens) else {"REJECTED", "EXPIRED"}
        return {"PENDING"}

    def settle(self, now):
        """Ends stay, whatever time or votes come later."""
        states = self.state(now)
        if len(states) == 1 and states & {"EXPIRED", "EXECUTED", "REJECTED"}:
            (self.ended,) = states
        return states

    def may_vote(self, who, now):
        """Exactly who has a task."""
        if self.state(now) - {"PENDING", "APPROVED"} or who in self.approved | self.rejected:
            return False
        return any(who in members for t in self.tokens if not self.over(t, now)
                   for _, members in self.needed(t))
