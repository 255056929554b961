// Answers about consumer groups and their members.
#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/consumer_group.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/limits.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/groups.hpp"
#include "wire/kafka/messages/membership.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

namespace {

std::optional<std::string_view> IfAny(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::string TextOf(const std::optional<std::string_view>& text) {
  return std::string(text.value_or(""));
}

std::unexpected<Error> ClientHasGone() {
  return Fail(Errc::kClosed, "the client has gone, or the queue is shutting down");
}

// From this version on a member is told its id before it joins.
constexpr int16_t kJoinTellsId = 4;
// From this version on a leader may be told to keep the assignment.
constexpr int16_t kJoinSkipsAssignment = 9;

// A copy, for which the request is not needed any more.
Result<JoinRequest> JoinOf(const Call& call) {
  using std::chrono::milliseconds;
  auto request = kafka::DecodeRequest<kafka::JoinGroupRequest>(call.header);
  if (!request) return Fail(std::move(request.error()));
  const int32_t rebalance_ms = request->rebalance_timeout_ms < 0 ? request->session_timeout_ms
                                                                 : request->rebalance_timeout_ms;
  JoinRequest join{.group = std::string(request->group_id),
                   .member = {std::string(request->member_id), TextOf(request->group_instance_id)},
                   .client_id = std::string(call.header.client_id.value_or("")),
                   .client_host = call.client_host,
                   .session_timeout = milliseconds{request->session_timeout_ms},
                   .rebalance_timeout = milliseconds{rebalance_ms},
                   .protocol_type = std::string(request->protocol_type),
                   .requires_member_id = call.header.api_version >= kJoinTellsId};
  for (const auto& each : request->protocols) {
    // One more than are allowed is refused, however many follow.
    if (join.protocols.size() > kMaxMemberProtocols) break;
    join.protocols.push_back(
        {.name = std::string(each.name), .metadata = {each.metadata.begin(), each.metadata.end()}});
  }
  return join;
}

// Likewise.
Result<SyncRequest> SyncOf(const Call& call) {
  auto request = kafka::DecodeRequest<kafka::SyncGroupRequest>(call.header);
  if (!request) return Fail(std::move(request.error()));
  if (request->assignments.size() > kMaxGroupMembers) {
    return Fail(Errc::kTooLarge, "a SyncGroup request with {} assignments: {} are allowed",
                request->assignments.size(), kMaxGroupMembers);
  }
  SyncRequest sync{.group = std::string(request->group_id),
                   .member = {std::string(request->member_id), TextOf(request->group_instance_id)},
                   .generation = request->generation_id,
                   .protocol_type = TextOf(request->protocol_type),
                   .protocol = TextOf(request->protocol_name)};
  for (const auto& each : request->assignments) {
    sync.assignments[std::string(each.member_id)] = {each.assignment.begin(),
                                                     each.assignment.end()};
  }
  return sync;
}

}  // namespace

Answered AnswerJoinGroup(Broker& broker, const Call& call) {
  auto join = JoinOf(call);
  if (!join) co_return Fail(std::move(join.error()));
  if (call.cancellation->requested) co_return ClientHasGone();
  call.release();
  const JoinResult joined =
      co_await broker.groups().Join(std::move(*join), call.cancellation->ticket);
  kafka::JoinGroupResponse response{.error = joined.error,
                                    .generation_id = joined.generation,
                                    .protocol_type = IfAny(joined.protocol_type),
                                    .protocol_name = IfAny(joined.protocol),
                                    .leader = joined.leader,
                                    .skip_assignment = joined.skip_assignment,
                                    .member_id = joined.member_id};
  // Before version 7 the name of the protocol is not null.
  if (!response.protocol_name) response.protocol_name = "";
  // An older client that leads would make an assignment: it hears that somebody else leads.
  const bool hides_leader =
      joined.skip_assignment && call.header.api_version < kJoinSkipsAssignment;
  if (hides_leader) response.leader = "";
  for (const JoinedMember& member : joined.members) {
    if (hides_leader) break;
    response.members.push_back({.id = member.member_id,
                                .group_instance_id = IfAny(member.instance_id),
                                .metadata = member.metadata});
  }
  co_return FrameOf(call, response);
}

Answered AnswerSyncGroup(Broker& broker, const Call& call) {
  auto sync = SyncOf(call);
  if (!sync) co_return Fail(std::move(sync.error()));
  if (call.cancellation->requested) co_return ClientHasGone();
  call.release();
  const SyncResult synced =
      co_await broker.groups().Sync(std::move(*sync), call.cancellation->ticket);
  const kafka::SyncGroupResponse response{.error = synced.error,
                                          .protocol_type = IfAny(synced.protocol_type),
                                          .protocol_name = IfAny(synced.protocol),
                                          .assignment = synced.assignment};
  co_return FrameOf(call, response);
}

Answered AnswerHeartbeat(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::HeartbeatRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const MemberIdentity member{std::string(request->member_id), TextOf(request->group_instance_id)};
  const kafka::HeartbeatResponse response{
      .error = broker.groups().Heartbeat(request->group_id, member, request->generation_id)};
  co_return FrameOf(call, response);
}

Answered AnswerLeaveGroup(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::LeaveGroupRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::LeaveGroupResponse response;
  Pace pace;
  constexpr int16_t kManyMembers = 3;
  if (call.header.api_version < kManyMembers) {
    response.error =
        broker.groups().Leave(request->group_id, {std::string(request->member_id), ""});
  }
  for (const auto& member : request->members) {
    const MemberIdentity identity{std::string(member.id), TextOf(member.group_instance_id)};
    response.members.push_back({.id = member.id,
                                .group_instance_id = member.group_instance_id,
                                .error = broker.groups().Leave(request->group_id, identity)});
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerDescribeGroups(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DescribeGroupsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DescribeGroupsResponse response;
  Pace pace;
  std::deque<GroupDescription> descriptions;  // what the response refers to
  const std::set<std::string_view> names(request->groups.begin(), request->groups.end());
  for (std::string_view name : names) {
    co_await pace.Step();
    kafka::DescribeGroupsResponse::Group answered{.id = name};
    if (!broker.groups().is_coordinator()) {
      answered.error = kafka::ErrorCode::kNotCoordinator;
      response.groups.push_back(std::move(answered));
      continue;
    }
    const ConsumerGroup* group = broker.groups().coordinator().Find(name);
    if (group == nullptr) {
      answered.state = broker.engine().HasCommitted(name) ? "Empty" : "Dead";
      response.groups.push_back(std::move(answered));
      continue;
    }
    const GroupDescription& description = descriptions.emplace_back(group->Describe());
    answered.state = GroupStateName(description.state);
    answered.protocol_type = description.protocol_type;
    answered.protocol_data = description.protocol;
    for (const MemberDescription& member : description.members) {
      answered.members.push_back({.id = member.member_id,
                                  .group_instance_id = IfAny(member.instance_id),
                                  .client_id = member.client_id,
                                  .client_host = member.client_host,
                                  .metadata = member.metadata,
                                  .assignment = member.assignment});
    }
    response.groups.push_back(std::move(answered));
  }
  co_return FrameOf(call, response);
}

Answered AnswerListGroups(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::ListGroupsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::ListGroupsResponse response;
  const std::set<std::string_view> wanted(request->states_filter.begin(),
                                          request->states_filter.end());
  auto list = [&](std::string_view name, std::string_view type, std::string_view state) {
    if (!wanted.empty() && !wanted.contains(state)) return;
    response.groups.push_back({.id = name, .protocol_type = type, .state = state});
  };
  const GroupCoordinator& coordinator = broker.groups().coordinator();
  // Clients ask all brokers.
  if (!broker.groups().is_coordinator()) co_return FrameOf(call, response);
  coordinator.ForEach([&](const std::string& name, const ConsumerGroup& group) {
    list(name, group.protocol_type(), GroupStateName(group.state()));
  });
  const std::vector<std::string> with_offsets = broker.engine().GroupsWithOffsets();
  for (const std::string& name : with_offsets) {
    if (coordinator.Find(name) == nullptr) {
      list(name, "consumer", GroupStateName(GroupState::kEmpty));
    }
  }
  co_return FrameOf(call, response);
}

Answered AnswerDeleteGroups(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DeleteGroupsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DeleteGroupsResponse response;
  Pace pace;
  for (std::string_view name : request->groups) {
    kafka::DeleteGroupsResponse::Result result{.group_id = name};
    if (broker.groups().coordinator().Find(name) != nullptr) {
      result.error = kafka::ErrorCode::kNonEmptyGroup;
    } else if (auto deleted = co_await broker.engine().DeleteOffsets(name, {}); !deleted) {
      result.error = ErrorCodeOf(deleted.error().error);
    }
    response.results.push_back(result);
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

}  // namespace meridian::queue
