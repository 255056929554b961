#include "queue/groups/consumer_group.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/groups/protocol_choice.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {
namespace {

// About what a member takes beside what it sent.
constexpr size_t kMemberBytes = 1024;

JoinResult JoinError(ErrorCode error, std::string member_id = {}) {
  return {.error = error, .member_id = std::move(member_id)};
}

SyncResult SyncError(ErrorCode error) { return {.error = error}; }

size_t BytesOf(const std::vector<GroupProtocol>& protocols) {
  size_t bytes = 0;
  for (const GroupProtocol& each : protocols) bytes += each.name.size() + each.metadata.size();
  return bytes;
}

}  // namespace

std::string_view GroupStateName(GroupState state) {
  switch (state) {
    case GroupState::kEmpty:
      return "Empty";
    case GroupState::kPreparingRebalance:
      return "PreparingRebalance";
    case GroupState::kCompletingRebalance:
      return "CompletingRebalance";
    case GroupState::kStable:
      return "Stable";
  }
  CHECK(false);
}

size_t ConsumerGroup::Member::bytes() const {
  return kMemberBytes + client_id.size() + BytesOf(protocols) + assignment.size();
}

size_t ConsumerGroup::bytes() const { return bytes_ + pending_.size() * kMemberBytes; }

// --- Joining

void ConsumerGroup::Join(JoinRequest request, std::string new_member_id, Ticket ticket,
                         TimePoint now, std::vector<Completion>& out) {
  ErrorCode refusal = CheckJoin(request);
  if (refusal != ErrorCode::kNone) {
    out.push_back({ticket, JoinError(refusal, request.member.member_id)});
    return;
  }
  const bool known_static =
      !request.member.instance_id.empty() && static_members_.contains(request.member.instance_id);
  if (request.member.member_id.empty()) {
    if (known_static) {
      ReplaceStatic(std::move(request), std::move(new_member_id), ticket, now, out);
    } else {
      JoinNew(std::move(request), std::move(new_member_id), ticket, now, out);
    }
    return;
  }
  // Only dynamic members are told an id first.
  if (auto pending = pending_.find(request.member.member_id);
      request.member.instance_id.empty() && pending != pending_.end()) {
    std::string member_id = pending->first;
    pending_.erase(pending);
    AwaitJoin(Add(request, std::move(member_id)), ticket, now, out);
    return;
  }
  auto found = Find(request.member);
  if (const ErrorCode* error = std::get_if<ErrorCode>(&found)) {
    out.push_back({ticket, JoinError(*error, request.member.member_id)});
    return;
  }
  Rejoin(std::get<Members::iterator>(found), std::move(request), ticket, now, out);
}

ErrorCode ConsumerGroup::CheckJoin(const JoinRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) {
    return ErrorCode::kInconsistentGroupProtocol;
  }
  if (request.protocols.size() > kMaxMemberProtocols ||
      BytesOf(request.protocols) > kMaxMemberMetadataBytes) {
    return ErrorCode::kInvalidRequest;
  }
  if (!members_.empty()) {
    // The one that comes back need not agree with what it said before.
    std::string_view except = request.member.member_id;
    if (auto known = static_members_.find(request.member.instance_id);
        except.empty() && known != static_members_.end()) {
      except = known->second;
    }
    std::vector<ProtocolList> others = ProtocolsOf(except);
    if (!others.empty() &&
        (request.protocol_type != protocol_type_ || !SharesProtocol(request.protocols, others))) {
      return ErrorCode::kInconsistentGroupProtocol;
    }
  }
  return ErrorCode::kNone;
}

std::variant<ConsumerGroup::Members::iterator, ErrorCode> ConsumerGroup::Find(
    const MemberIdentity& identity) {
  if (!identity.instance_id.empty()) {
    auto known = static_members_.find(identity.instance_id);
    if (known == static_members_.end()) return ErrorCode::kUnknownMemberId;
    if (known->second != identity.member_id) return ErrorCode::kFencedInstanceId;
  }
  auto found = members_.find(identity.member_id);
  if (found == members_.end()) return ErrorCode::kUnknownMemberId;
  return found;
}

void ConsumerGroup::JoinNew(JoinRequest request, std::string new_member_id, Ticket ticket,
                            TimePoint now, std::vector<Completion>& out) {
  const bool told_first = request.requires_member_id && request.member.instance_id.empty();
  if (members_.size() + pending_.size() >= kMaxGroupMembers) {
    out.push_back({ticket, JoinError(ErrorCode::kGroupMaxSizeReached)});
  } else if (told_first) {
    pending_.emplace(new_member_id, now + request.session_timeout);
    out.push_back({ticket, JoinError(ErrorCode::kMemberIdRequired, std::move(new_member_id))});
  } else {
    AwaitJoin(Add(request, std::move(new_member_id)), ticket, now, out);
  }
}

// A static member that was started again takes the place of its old incarnation, which is fenced.
// Where nothing of the assignment depends on it, nobody else hears of that.
void ConsumerGroup::ReplaceStatic(JoinRequest request, std::string new_member_id, Ticket ticket,
                                  TimePoint now, std::vector<Completion>& out) {
  auto old = members_.find(static_members_.find(request.member.instance_id)->second);
  CHECK(old != members_.end());
  if (old->second.waiting == Waiting::kJoin) {
    Complete(old->second, JoinError(ErrorCode::kFencedInstanceId, old->first), now, out);
  } else if (old->second.waiting == Waiting::kSync) {
    Complete(old->second, SyncError(ErrorCode::kFencedInstanceId), now, out);
  }
  auto node = members_.extract(old);
  const bool was_leader = leader_ == node.key();
  node.key() = std::move(new_member_id);
  auto member = members_.insert(std::move(node)).position;
  static_members_[request.member.instance_id] = member->first;
  if (was_leader) leader_ = member->first;

  const bool same = member->second.protocols == request.protocols;
  Update(member->second, request);
  if (state_ == GroupState::kStable && same) {
    JoinResult result = ResultFor(member);
    result.skip_assignment = was_leader;
    member->second.expiry = now + member->second.session_timeout;
    out.push_back({ticket, std::move(result)});
    return;
  }
  AwaitJoin(member, ticket, now, out);
}

void ConsumerGroup::Rejoin(Members::iterator member, JoinRequest request, Ticket ticket,
                           TimePoint now, std::vector<Completion>& out) {
  const bool same = member->second.protocols == request.protocols;
  // A retry of a request whose response was lost does not make all join again.
  const bool answered = state_ == GroupState::kCompletingRebalance && same;
  const bool nothing_new = state_ == GroupState::kStable && same && member->first != leader_;
  if (answered || nothing_new) {
    if (member->second.waiting == Waiting::kSync) {
      Complete(member->second, SyncError(ErrorCode::kRebalanceInProgress), now, out);
    }
    member->second.expiry = now + member->second.session_timeout;
    out.push_back({ticket, ResultFor(member)});
    return;
  }
  Update(member->second, request);
  AwaitJoin(member, ticket, now, out);
}

ConsumerGroup::Members::iterator ConsumerGroup::Add(JoinRequest& request, std::string member_id) {
  Member member;
  member.instance_id = request.member.instance_id;
  if (!member.instance_id.empty()) static_members_[member.instance_id] = member_id;
  if (members_.empty()) protocol_type_ = request.protocol_type;
  auto added = members_.emplace(std::move(member_id), std::move(member)).first;
  bytes_ += added->second.bytes();
  if (leader_.empty()) leader_ = added->first;
  Update(added->second, request);
  return added;
}

void ConsumerGroup::Update(Member& member, JoinRequest& request) {
  bytes_ -= member.bytes();
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout =
      std::clamp(request.rebalance_timeout, kMinRebalanceTimeout, kMaxRebalanceTimeout);
  member.protocols = std::move(request.protocols);
  if (members_.size() == 1) protocol_type_ = std::move(request.protocol_type);
  bytes_ += member.bytes();
}

void ConsumerGroup::AwaitJoin(Members::iterator member, Ticket ticket, TimePoint now,
                              std::vector<Completion>& out) {
  // A client asks again on a new connection: nobody waits for the first response.
  if (member->second.waiting == Waiting::kJoin) {
    Complete(member->second, JoinError(ErrorCode::kRebalanceInProgress, member->first), now, out);
  } else if (member->second.waiting == Waiting::kSync) {
    Complete(member->second, SyncError(ErrorCode::kRebalanceInProgress), now, out);
  }
  const bool first = state_ == GroupState::kEmpty;
  if (state_ != GroupState::kPreparingRebalance) PrepareRebalance(now, out);
  member->second.waiting = Waiting::kJoin;
  member->second.ticket = ticket;
  member->second.joined = true;
  if (first || initial_wait_) {
    rebalance_deadline_ = std::min(rebalance_deadline_, now + LongestRebalanceTimeout());
    initial_wait_ = std::min(now + kInitialRebalanceDelay, rebalance_deadline_);
  }
  CompleteJoinIfAllHave(now, out);
}

// --- Rebalancing

void ConsumerGroup::PrepareRebalance(TimePoint now, std::vector<Completion>& out) {
  for (auto& [id, member] : members_) {
    member.joined = false;
    if (member.waiting == Waiting::kSync) {
      Complete(member, SyncError(ErrorCode::kRebalanceInProgress), now, out);
    }
  }
  state_ = GroupState::kPreparingRebalance;
  rebalance_deadline_ = now + LongestRebalanceTimeout();
}

void ConsumerGroup::CompleteJoinIfAllHave(TimePoint now, std::vector<Completion>& out) {
  if (initial_wait_ || !pending_.empty()) return;
  if (std::ranges::all_of(members_, [](const auto& each) { return each.second.joined; })) {
    CompleteJoin(now, out);
  }
}

void ConsumerGroup::CompleteJoin(TimePoint now, std::vector<Completion>& out) {
  initial_wait_.reset();
  for (auto each = members_.begin(); each != members_.end();) {
    auto member = each++;
    if (!member->second.joined && member->second.instance_id.empty()) Erase(member);
  }
  ++generation_;
  if (members_.empty()) {
    state_ = GroupState::kEmpty;
    rebalance_deadline_ = kNever;
    protocol_.clear();
    return;
  }
  auto joined = std::ranges::find_if(members_, [](auto& each) { return each.second.joined; });
  if (joined == members_.end()) {
    // Static members alone, none of which has come yet: they have until their sessions expire.
    --generation_;
    rebalance_deadline_ = now + LongestRebalanceTimeout();
    return;
  }
  if (auto leader = members_.find(leader_); leader == members_.end() || !leader->second.joined) {
    leader_ = joined->first;
  }
  // CheckJoin holds that all share one.
  protocol_ = ChooseProtocol(ProtocolsOf()).value_or("");
  state_ = GroupState::kCompletingRebalance;
  rebalance_deadline_ = now + LongestRebalanceTimeout();
  for (auto member = members_.begin(); member != members_.end(); ++member) {
    if (member->second.waiting != Waiting::kJoin) continue;
    Complete(member->second, ResultFor(member), now, out);
  }
}

JoinResult ConsumerGroup::ResultFor(Members::const_iterator member) const {
  JoinResult result{.generation = generation_,
                    .protocol_type = protocol_type_,
                    .protocol = protocol_,
                    .leader = leader_,
                    .member_id = member->first};
  if (member->first != leader_) return result;
  for (const auto& [id, each] : members_) {
    const GroupProtocol* protocol = FindProtocol(each.protocols, protocol_);
    result.members.push_back({.member_id = id,
                              .instance_id = each.instance_id,
                              .metadata = protocol ? protocol->metadata : std::vector<uint8_t>{}});
  }
  return result;
}

void ConsumerGroup::Sync(SyncRequest request, Ticket ticket, TimePoint now,
                         std::vector<Completion>& out) {
  auto refuse = [&](ErrorCode error) { out.push_back({ticket, SyncError(error)}); };
  auto found = Find(request.member);
  if (const ErrorCode* error = std::get_if<ErrorCode>(&found)) return refuse(*error);
  auto member = std::get<Members::iterator>(found);
  if (request.generation != generation_) return refuse(ErrorCode::kIllegalGeneration);
  if (std::ranges::any_of(request.assignments, [](const auto& each) {
        return each.second.size() > kMaxAssignmentBytes;
      })) {
    return refuse(ErrorCode::kInvalidRequest);
  }
  if ((!request.protocol_type.empty() && request.protocol_type != protocol_type_) ||
      (!request.protocol.empty() && request.protocol != protocol_)) {
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  }
  switch (state_) {
    case GroupState::kEmpty:
      return refuse(ErrorCode::kUnknownMemberId);
    case GroupState::kPreparingRebalance:
      return refuse(ErrorCode::kRebalanceInProgress);
    case GroupState::kStable:
      member->second.expiry = now + member->second.session_timeout;
      out.push_back({ticket, SyncResult{.protocol_type = protocol_type_,
                                        .protocol = protocol_,
                                        .assignment = member->second.assignment}});
      return;
    case GroupState::kCompletingRebalance:
      break;
  }
  if (member->second.waiting == Waiting::kSync) {
    Complete(member->second, SyncError(ErrorCode::kRebalanceInProgress), now, out);
  }
  member->second.waiting = Waiting::kSync;
  member->second.ticket = ticket;
  if (member->first == leader_) CompleteSync(request, now, out);
}

void ConsumerGroup::CompleteSync(SyncRequest& request, TimePoint now,
                                 std::vector<Completion>& out) {
  state_ = GroupState::kStable;
  for (auto& [id, member] : members_) {
    bytes_ -= member.bytes();
    auto assigned = request.assignments.find(id);
    member.assignment = assigned == request.assignments.end() ? std::vector<uint8_t>{}
                                                              : std::move(assigned->second);
    bytes_ += member.bytes();
    if (member.waiting != Waiting::kSync) continue;
    Complete(member,
             SyncResult{.protocol_type = protocol_type_,
                        .protocol = protocol_,
                        .assignment = member.assignment},
             now, out);
  }
}

// --- Staying and leaving

ErrorCode ConsumerGroup::Heartbeat(const MemberIdentity& identity, int32_t generation,
                                   TimePoint now) {
  auto found = Find(identity);
  if (const ErrorCode* error = std::get_if<ErrorCode>(&found)) return *error;
  if (generation != generation_) return ErrorCode::kIllegalGeneration;
  Member& member = std::get<Members::iterator>(found)->second;
  member.expiry = now + member.session_timeout;
  return state_ == GroupState::kPreparingRebalance ? ErrorCode::kRebalanceInProgress
                                                   : ErrorCode::kNone;
}

ErrorCode ConsumerGroup::Leave(const MemberIdentity& identity, TimePoint now,
                               std::vector<Completion>& out) {
  if (auto pending = pending_.find(identity.member_id);
      identity.instance_id.empty() && pending != pending_.end()) {
    pending_.erase(pending);
    if (state_ == GroupState::kPreparingRebalance) CompleteJoinIfAllHave(now, out);
    return ErrorCode::kNone;
  }
  MemberIdentity named = identity;
  // An administrator removes a static member by its instance id alone.
  if (auto known = static_members_.find(identity.instance_id);
      identity.member_id.empty() && known != static_members_.end()) {
    named.member_id = known->second;
  }
  auto found = Find(named);
  if (const ErrorCode* error = std::get_if<ErrorCode>(&found)) return *error;
  Remove(std::get<Members::iterator>(found), now, out);
  return ErrorCode::kNone;
}

ErrorCode ConsumerGroup::CheckCommit(const MemberIdentity& identity, int32_t generation,
                                     TimePoint now) {
  if (generation < 0 && identity.member_id.empty() && identity.instance_id.empty()) {
    return members_.empty() ? ErrorCode::kNone : ErrorCode::kUnknownMemberId;
  }
  auto found = Find(identity);
  if (const ErrorCode* error = std::get_if<ErrorCode>(&found)) return *error;
  if (generation != generation_) return ErrorCode::kIllegalGeneration;
  if (state_ == GroupState::kCompletingRebalance) return ErrorCode::kRebalanceInProgress;
  Member& member = std::get<Members::iterator>(found)->second;
  member.expiry = now + member.session_timeout;
  return ErrorCode::kNone;
}

void ConsumerGroup::Abandon(Ticket ticket, TimePoint now) {
  auto found = std::ranges::find_if(members_, [&](const auto& each) {
    return each.second.waiting != Waiting::kNothing && each.second.ticket == ticket;
  });
  if (found == members_.end()) return;
  found->second.waiting = Waiting::kNothing;
  found->second.expiry = now + found->second.session_timeout;
}

void ConsumerGroup::Complete(Member& member, std::variant<JoinResult, SyncResult> result,
                             TimePoint now, std::vector<Completion>& out) {
  member.waiting = Waiting::kNothing;
  member.expiry = now + member.session_timeout;
  out.push_back({member.ticket, std::move(result)});
}

void ConsumerGroup::Remove(Members::iterator member, TimePoint now, std::vector<Completion>& out) {
  if (member->second.waiting == Waiting::kJoin) {
    Complete(member->second, JoinError(ErrorCode::kUnknownMemberId, member->first), now, out);
  } else if (member->second.waiting == Waiting::kSync) {
    Complete(member->second, SyncError(ErrorCode::kUnknownMemberId), now, out);
  }
  Erase(member);
  if (state_ == GroupState::kPreparingRebalance) {
    CompleteJoinIfAllHave(now, out);
  } else {
    PrepareRebalance(now, out);
    CompleteJoinIfAllHave(now, out);  // it was the last
  }
}

void ConsumerGroup::Erase(Members::iterator member) {
  bytes_ -= member->second.bytes();
  if (!member->second.instance_id.empty()) static_members_.erase(member->second.instance_id);
  const bool was_leader = leader_ == member->first;
  members_.erase(member);
  if (was_leader) leader_ = members_.empty() ? "" : members_.begin()->first;
}

// --- Time

void ConsumerGroup::Tick(TimePoint now, std::vector<Completion>& out) {
  std::erase_if(pending_, [&](const auto& each) { return each.second <= now; });
  ExpireMembers(now, out);
  if (initial_wait_ && *initial_wait_ <= now) initial_wait_.reset();
  switch (state_) {
    case GroupState::kPreparingRebalance:
      if (rebalance_deadline_ <= now) {
        CompleteJoin(now, out);
      } else {
        CompleteJoinIfAllHave(now, out);
      }
      break;
    case GroupState::kCompletingRebalance:
      if (rebalance_deadline_ <= now) RemoveUnsynced(now, out);
      break;
    case GroupState::kEmpty:
    case GroupState::kStable:
      break;
  }
}

void ConsumerGroup::ExpireMembers(TimePoint now, std::vector<Completion>& out) {
  auto expired = [&](const auto& each) {
    return each.second.waiting == Waiting::kNothing && each.second.expiry <= now;
  };
  for (auto each = std::ranges::find_if(members_, expired); each != members_.end();
       each = std::ranges::find_if(members_, expired)) {
    Remove(each, now, out);
  }
}

// The leader among them, or else it would have sent the assignment and all be stable.
void ConsumerGroup::RemoveUnsynced(TimePoint now, std::vector<Completion>& out) {
  for (auto each = members_.begin(); each != members_.end();) {
    auto member = each++;
    if (member->second.waiting != Waiting::kSync) Erase(member);
  }
  PrepareRebalance(now, out);
  CompleteJoinIfAllHave(now, out);
}

TimePoint ConsumerGroup::NextDeadline() const {
  TimePoint next = initial_wait_.value_or(kNever);
  if (state_ == GroupState::kPreparingRebalance || state_ == GroupState::kCompletingRebalance) {
    next = std::min(next, rebalance_deadline_);
  }
  for (const auto& [id, expiry] : pending_) next = std::min(next, expiry);
  for (const auto& [id, member] : members_) {
    if (member.waiting == Waiting::kNothing) next = std::min(next, member.expiry);
  }
  return next;
}

// --- What is told of it

std::vector<ProtocolList> ConsumerGroup::ProtocolsOf(std::string_view except) const {
  std::vector<ProtocolList> lists;
  for (const auto& [id, member] : members_) {
    if (id != except) lists.emplace_back(member.protocols);
  }
  return lists;
}

Duration ConsumerGroup::LongestRebalanceTimeout() const {
  Duration longest = Duration::zero();
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

GroupDescription ConsumerGroup::Describe() const {
  GroupDescription description{.state = state_, .protocol_type = protocol_type_};
  const bool stable = state_ == GroupState::kStable;
  if (stable) description.protocol = protocol_;
  for (const auto& [id, member] : members_) {
    const GroupProtocol* protocol = FindProtocol(member.protocols, protocol_);
    description.members.push_back(
        {.member_id = id,
         .instance_id = member.instance_id,
         .client_id = member.client_id,
         .client_host = member.client_host,
         .metadata = stable && protocol ? protocol->metadata : std::vector<uint8_t>{},
         .assignment = stable ? member.assignment : std::vector<uint8_t>{}});
  }
  return description;
}

}  // namespace meridian::queue
