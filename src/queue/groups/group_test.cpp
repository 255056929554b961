#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "queue/groups/consumer_group.hpp"
#include "queue/groups/group_coordinator.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/groups/protocol_choice.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<uint8_t> BytesOf(std::string_view text) { return {text.begin(), text.end()}; }
std::string TextOf(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

GroupProtocol Protocol(std::string name, std::string_view metadata = "m") {
  return {.name = std::move(name), .metadata = BytesOf(metadata)};
}

// One group "g" with members that join, and the responses that have come.
class GroupTest : public testing::Test {
 protected:
  static JoinRequest Request(std::string member_id = {}, std::string instance_id = {}) {
    return {.group = "g",
            .member = {std::move(member_id), std::move(instance_id)},
            .client_id = "client",
            .client_host = "127.0.0.1",
            .session_timeout = seconds{10},
            .rebalance_timeout = seconds{60},
            .protocol_type = "consumer",
            .protocols = {Protocol("range")}};
  }

  Ticket SendJoin(JoinRequest request) {
    Ticket ticket = ++last_ticket_;
    coordinator_.Join(std::move(request), ticket, now_, completions_);
    Collect();
    return ticket;
  }
  // `plan`: the assignments of the leader.
  Ticket SendSync(const JoinResult& joined, std::map<std::string, std::string> plan = {}) {
    SyncRequest request{
        .group = "g", .member = {joined.member_id, ""}, .generation = joined.generation};
    for (auto& [member, assignment] : plan) request.assignments[member] = BytesOf(assignment);
    Ticket ticket = ++last_ticket_;
    coordinator_.Sync(std::move(request), ticket, now_, completions_);
    Collect();
    return ticket;
  }
  ErrorCode SendHeartbeat(const JoinResult& joined) {
    return coordinator_.Heartbeat("g", {joined.member_id, ""}, joined.generation, now_);
  }
  ErrorCode SendLeave(std::string member_id, std::string instance_id = {}) {
    ErrorCode error =
        coordinator_.Leave("g", {std::move(member_id), std::move(instance_id)}, now_, completions_);
    Collect();
    return error;
  }
  // Lets time pass, with each deadline at its time.
  void Advance(Duration by) {
    TimePoint end = now_ + by;
    while (coordinator_.NextDeadline() <= end) {
      now_ = std::max(now_, coordinator_.NextDeadline());
      coordinator_.Tick(now_, completions_);
    }
    now_ = end;
    Collect();
  }

  bool Waits(Ticket ticket) const { return !joins_.contains(ticket) && !syncs_.contains(ticket); }
  JoinResult Joined(Ticket ticket) const {
    auto found = joins_.find(ticket);
    return found == joins_.end() ? JoinResult{.error = ErrorCode::kUnknownServerError}
                                 : found->second;
  }
  SyncResult Synced(Ticket ticket) const {
    auto found = syncs_.find(ticket);
    return found == syncs_.end() ? SyncResult{.error = ErrorCode::kUnknownServerError}
                                 : found->second;
  }

  // A stable group of `count` members; the first is the leader.
  std::vector<JoinResult> MakeStable(size_t count) {
    std::vector<Ticket> tickets;
    for (size_t i = 0; i < count; ++i) tickets.push_back(SendJoin(Request()));
    Advance(kInitialRebalanceDelay);
    std::vector<JoinResult> joined;
    for (Ticket ticket : tickets) joined.push_back(Joined(ticket));
    std::ranges::sort(joined, [](const JoinResult& a, const JoinResult& b) {
      return (a.leader == a.member_id) > (b.leader == b.member_id);
    });
    std::map<std::string, std::string> plan;
    for (const JoinResult& each : joined) plan[each.member_id] = "plan";
    for (size_t i = count; i-- > 0;) SendSync(joined[i], i == 0 ? plan : decltype(plan){});
    return joined;
  }
  GroupState State() const {
    const ConsumerGroup* group = coordinator_.Find("g");
    return group ? group->state() : GroupState::kEmpty;
  }

  TimePoint now_{std::chrono::hours{1}};
  GroupCoordinator coordinator_{7};

 private:
  void Collect() {
    for (Completion& each : completions_) {
      EXPECT_TRUE(Waits(each.ticket)) << "ticket " << each.ticket << " completed twice";
      if (auto* join = std::get_if<JoinResult>(&each.result)) {
        joins_[each.ticket] = std::move(*join);
      } else {
        syncs_[each.ticket] = std::move(std::get<SyncResult>(each.result));
      }
    }
    completions_.clear();
  }

  std::vector<Completion> completions_;
  std::map<Ticket, JoinResult> joins_;
  std::map<Ticket, SyncResult> syncs_;
  Ticket last_ticket_ = 0;
};

TEST_F(GroupTest, FirstRebalanceWaitsForMembersThatStartTogether) {
  Ticket first = SendJoin(Request());
  Advance(kInitialRebalanceDelay - milliseconds{1});
  EXPECT_TRUE(Waits(first));
  Ticket second = SendJoin(Request());
  Advance(kInitialRebalanceDelay - milliseconds{1});
  EXPECT_TRUE(Waits(first));
  Advance(milliseconds{1});
  JoinResult one = Joined(first);
  JoinResult two = Joined(second);
  EXPECT_EQ(one.error, ErrorCode::kNone);
  EXPECT_EQ(one.generation, 1);
  EXPECT_EQ(one.leader, two.leader);
  EXPECT_EQ(one.protocol, "range");
  const JoinResult& leader = one.leader == one.member_id ? one : two;
  const JoinResult& follower = one.leader == one.member_id ? two : one;
  EXPECT_THAT(leader.members, SizeIs(2));
  EXPECT_THAT(follower.members, IsEmpty());
}

TEST_F(GroupTest, EachMemberGetsItsPartOfTheLeadersPlan) {
  Ticket a = SendJoin(Request());
  Ticket b = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  JoinResult leader = Joined(a).leader == Joined(a).member_id ? Joined(a) : Joined(b);
  JoinResult follower = Joined(a).leader == Joined(a).member_id ? Joined(b) : Joined(a);
  Ticket early = SendSync(follower);
  EXPECT_TRUE(Waits(early));
  Ticket late = SendSync(leader, {{leader.member_id, "one"}, {follower.member_id, "two"}});
  EXPECT_EQ(TextOf(Synced(early).assignment), "two");
  EXPECT_EQ(TextOf(Synced(late).assignment), "one");
  EXPECT_EQ(State(), GroupState::kStable);
  EXPECT_EQ(TextOf(Synced(SendSync(follower)).assignment), "two");  // asked again
}

TEST_F(GroupTest, NewDynamicMemberIsToldItsIdFirst) {
  JoinRequest request = Request();
  request.requires_member_id = true;
  JoinResult told = Joined(SendJoin(request));
  EXPECT_EQ(told.error, ErrorCode::kMemberIdRequired);
  EXPECT_TRUE(told.member_id.starts_with("client-"));
  request.member.member_id = told.member_id;
  Ticket joined = SendJoin(request);
  Advance(kInitialRebalanceDelay);
  EXPECT_EQ(Joined(joined).error, ErrorCode::kNone);
  EXPECT_EQ(Joined(joined).member_id, told.member_id);
}

TEST_F(GroupTest, IdThatWasToldExpiresUnlessItsMemberJoins) {
  JoinRequest request = Request();
  request.requires_member_id = true;
  request.member.member_id = Joined(SendJoin(request)).member_id;
  Advance(seconds{10});
  EXPECT_EQ(coordinator_.groups(), 0u);
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kUnknownMemberId);
}

TEST_F(GroupTest, MemberThatMissesItsSessionTimeoutIsRemovedAndTheOthersRebalance) {
  auto members = MakeStable(2);
  for (int i = 0; i < 3; ++i) {
    Advance(seconds{4});
    (void)SendHeartbeat(members[0]);
  }
  EXPECT_EQ(SendHeartbeat(members[1]), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(SendHeartbeat(members[0]), ErrorCode::kRebalanceInProgress);
  Ticket again = SendJoin(Request(members[0].member_id));
  EXPECT_EQ(Joined(again).generation, 2);
  EXPECT_THAT(Joined(again).members, SizeIs(1));
}

TEST_F(GroupTest, MemberThatWaitsForOthersDoesNotMissItsSessionTimeout) {
  auto members = MakeStable(2);
  Ticket again = SendJoin(Request(members[0].member_id));
  for (int i = 0; i < 6; ++i) {
    Advance(seconds{9});
    EXPECT_EQ(SendHeartbeat(members[1]), ErrorCode::kRebalanceInProgress);
  }
  EXPECT_TRUE(Waits(again));
  Advance(seconds{6});  // the rebalance timeout is over
  EXPECT_EQ(Joined(again).error, ErrorCode::kNone);
  EXPECT_THAT(Joined(again).members, SizeIs(1));
  EXPECT_EQ(SendHeartbeat(members[1]), ErrorCode::kUnknownMemberId);
}

TEST_F(GroupTest, MemberThatLeavesMakesTheOthersRebalance) {
  auto members = MakeStable(2);
  EXPECT_EQ(SendLeave(members[0].member_id), ErrorCode::kNone);
  EXPECT_EQ(SendHeartbeat(members[1]), ErrorCode::kRebalanceInProgress);
  JoinResult again = Joined(SendJoin(Request(members[1].member_id)));
  EXPECT_EQ(again.leader, members[1].member_id);
  EXPECT_EQ(SendLeave(members[0].member_id), ErrorCode::kUnknownMemberId);
}

TEST_F(GroupTest, LastMemberThatLeavesTakesTheGroupWithIt) {
  auto members = MakeStable(1);
  EXPECT_EQ(SendLeave(members[0].member_id), ErrorCode::kNone);
  EXPECT_EQ(coordinator_.groups(), 0u);
  EXPECT_EQ(coordinator_.bytes(), 0u);
  EXPECT_EQ(coordinator_.NextDeadline(), kNever);
}

TEST_F(GroupTest, OldGenerationIsFenced) {
  auto members = MakeStable(1);
  JoinResult old = members[0];
  old.generation -= 1;
  EXPECT_EQ(SendHeartbeat(old), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(Synced(SendSync(old)).error, ErrorCode::kIllegalGeneration);
  EXPECT_EQ(coordinator_.CheckCommit("g", {old.member_id, ""}, old.generation, now_),
            ErrorCode::kIllegalGeneration);
}

TEST_F(GroupTest, CommitsAreOfMembersOrOfAGroupWithoutMembers) {
  EXPECT_EQ(coordinator_.CheckCommit("g", {}, -1, now_), ErrorCode::kNone);
  EXPECT_EQ(coordinator_.CheckCommit("g", {"x", ""}, 3, now_), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(coordinator_.CheckCommit("", {}, -1, now_), ErrorCode::kInvalidGroupId);
  auto members = MakeStable(1);
  EXPECT_EQ(coordinator_.CheckCommit("g", {}, -1, now_), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(coordinator_.CheckCommit("g", {members[0].member_id, ""}, 1, now_), ErrorCode::kNone);
}

TEST_F(GroupTest, CommitDuringARebalanceIsTakenUntilTheNextGenerationBegins) {
  auto members = MakeStable(2);
  Ticket third = SendJoin(Request());
  EXPECT_EQ(coordinator_.CheckCommit("g", {members[0].member_id, ""}, 1, now_), ErrorCode::kNone);
  SendJoin(Request(members[0].member_id));
  SendJoin(Request(members[1].member_id));
  EXPECT_EQ(Joined(third).generation, 2);
  EXPECT_EQ(coordinator_.CheckCommit("g", {members[0].member_id, ""}, 2, now_),
            ErrorCode::kRebalanceInProgress);
}

TEST_F(GroupTest, MemberThatAsksForItsAssignmentInARebalanceMustJoinAgain) {
  Ticket a = SendJoin(Request());
  Ticket b = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  JoinResult follower = Joined(a).leader == Joined(a).member_id ? Joined(b) : Joined(a);
  Ticket waiting = SendSync(follower);
  SendJoin(Request());  // a third one
  EXPECT_EQ(Synced(waiting).error, ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(Synced(SendSync(follower)).error, ErrorCode::kRebalanceInProgress);
}

TEST_F(GroupTest, MemberThatNeverAsksForItsAssignmentIsRemoved) {
  Ticket a = SendJoin(Request());
  Ticket b = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  bool a_leads = Joined(a).leader == Joined(a).member_id;
  JoinResult leader = Joined(a_leads ? a : b);
  JoinResult follower = Joined(a_leads ? b : a);
  Ticket waiting = SendSync(follower);
  for (int i = 0; i < 12; ++i) {
    Advance(seconds{5});
    (void)SendHeartbeat(leader);  // alive, but it never sends the assignment
  }
  EXPECT_EQ(Synced(waiting).error, ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(SendHeartbeat(leader), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(Joined(SendJoin(Request(follower.member_id))).leader, follower.member_id);
}

TEST_F(GroupTest, JoinThatIsRepeatedDoesNotMakeAllJoinAgain) {
  auto members = MakeStable(2);
  JoinResult again = Joined(SendJoin(Request(members[1].member_id)));
  EXPECT_EQ(again.generation, 1);
  EXPECT_EQ(State(), GroupState::kStable);
  SendJoin(Request(members[0].member_id));  // the leader's makes a rebalance
  EXPECT_EQ(State(), GroupState::kPreparingRebalance);
}

TEST_F(GroupTest, ChangedProtocolsOfAMemberMakeARebalance) {
  auto members = MakeStable(2);
  JoinRequest changed = Request(members[1].member_id);
  changed.protocols[0].metadata = BytesOf("other topics");
  Ticket ticket = SendJoin(changed);
  EXPECT_EQ(SendHeartbeat(members[0]), ErrorCode::kRebalanceInProgress);
  SendJoin(Request(members[0].member_id));
  EXPECT_EQ(Joined(ticket).generation, 2);
}

TEST_F(GroupTest, ClientThatGoesAwayWhileItWaitsMissesItsSessionTimeout) {
  auto members = MakeStable(2);
  Ticket gone = SendJoin(Request());
  coordinator_.Abandon("g", gone, now_);
  Ticket a = SendJoin(Request(members[0].member_id));
  Ticket b = SendJoin(Request(members[1].member_id));
  EXPECT_THAT(coordinator_.Find("g")->members(), 3u);
  EXPECT_FALSE(Waits(a) || Waits(b));
  Advance(seconds{9});
  EXPECT_EQ(SendHeartbeat(Joined(a)), ErrorCode::kNone);
  EXPECT_EQ(SendHeartbeat(Joined(b)), ErrorCode::kNone);
  Advance(seconds{1});
  EXPECT_EQ(SendHeartbeat(Joined(a)), ErrorCode::kRebalanceInProgress);
  EXPECT_TRUE(Waits(gone));
}

TEST_F(GroupTest, StaticMemberThatIsStartedAgainKeepsItsAssignmentWithoutARebalance) {
  Ticket first = SendJoin(Request("", "s1"));
  Ticket other = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  JoinResult s1 = Joined(first);
  JoinResult dynamic = Joined(other);
  bool s1_leads = s1.leader == s1.member_id;
  std::map<std::string, std::string> plan{{s1.member_id, "mine"}, {dynamic.member_id, "other"}};
  SendSync(s1_leads ? dynamic : s1);
  SendSync(s1_leads ? s1 : dynamic, plan);

  JoinResult again = Joined(SendJoin(Request("", "s1")));
  EXPECT_EQ(again.error, ErrorCode::kNone);
  EXPECT_EQ(again.generation, 1);
  EXPECT_NE(again.member_id, s1.member_id);
  EXPECT_EQ(again.skip_assignment, s1_leads);
  EXPECT_EQ(State(), GroupState::kStable);
  EXPECT_EQ(coordinator_.Heartbeat("g", {s1.member_id, "s1"}, 1, now_),
            ErrorCode::kFencedInstanceId);
  EXPECT_EQ(coordinator_.Heartbeat("g", {again.member_id, "s1"}, 1, now_), ErrorCode::kNone);
  EXPECT_EQ(TextOf(Synced(SendSync(again)).assignment), "mine");
}

TEST_F(GroupTest, OldIncarnationOfAStaticMemberThatStillWaitsIsFenced) {
  Ticket old = SendJoin(Request("", "s1"));
  Ticket again = SendJoin(Request("", "s1"));
  EXPECT_EQ(Joined(old).error, ErrorCode::kFencedInstanceId);
  Advance(kInitialRebalanceDelay);
  EXPECT_EQ(Joined(again).error, ErrorCode::kNone);
  EXPECT_THAT(Joined(again).members, SizeIs(1));
}

TEST_F(GroupTest, StaticMemberThatIsRestartingKeepsItsPlaceInARebalance) {
  Ticket s1 = SendJoin(Request("", "s1"));
  Ticket other = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  JoinRequest longer = Request(Joined(other).member_id);
  longer.protocols[0].metadata = BytesOf("changed");
  Ticket again = SendJoin(longer);
  EXPECT_TRUE(Waits(again));
  for (int i = 0; i < 7; ++i) {
    Advance(seconds{9});
    (void)coordinator_.Heartbeat("g", {Joined(s1).member_id, "s1"}, 1, now_);
  }
  EXPECT_EQ(Joined(again).generation, 2);
  EXPECT_EQ(coordinator_.Find("g")->members(), 2u);
}

TEST_F(GroupTest, IdOfADynamicMemberIsNoneOfAStaticOne) {
  SendJoin(Request("", "s1"));
  JoinRequest request = Request();
  request.requires_member_id = true;
  JoinRequest taken = Request(Joined(SendJoin(request)).member_id, "s1");
  EXPECT_EQ(Joined(SendJoin(taken)).error, ErrorCode::kFencedInstanceId);
}

TEST_F(GroupTest, MembersAndIdsThatWereToldCountInBytes) {
  JoinRequest request = Request();
  request.client_id = std::string(30'000, 'c');
  SendJoin(request);
  EXPECT_GT(coordinator_.bytes(), 30'000u);
  size_t before = coordinator_.bytes();
  request.requires_member_id = true;
  SendJoin(request);
  EXPECT_GT(coordinator_.bytes(), before);
}

TEST_F(GroupTest, StaticMemberIsRemovedByItsInstanceId) {
  SendJoin(Request("", "s1"));
  Advance(kInitialRebalanceDelay);
  EXPECT_EQ(SendLeave("", "s2"), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(SendLeave("", "s1"), ErrorCode::kNone);
  EXPECT_EQ(coordinator_.groups(), 0u);
}

TEST_F(GroupTest, MembersMustShareAProtocol) {
  MakeStable(1);
  JoinRequest other = Request();
  other.protocols = {Protocol("sticky")};
  EXPECT_EQ(Joined(SendJoin(other)).error, ErrorCode::kInconsistentGroupProtocol);
  other = Request();
  other.protocol_type = "connect";
  EXPECT_EQ(Joined(SendJoin(other)).error, ErrorCode::kInconsistentGroupProtocol);
  other = Request();
  other.protocols.clear();
  EXPECT_EQ(Joined(SendJoin(other)).error, ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(coordinator_.Find("g")->members(), 1u);
}

TEST_F(GroupTest, LimitsAreKept) {
  JoinRequest request = Request();
  request.group = "";
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidGroupId);
  request = Request();
  request.group = std::string(kMaxGroupIdBytes + 1, 'g');
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidGroupId);
  request = Request();
  request.session_timeout = kMinSessionTimeout - milliseconds{1};
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidSessionTimeout);
  request.session_timeout = kMaxSessionTimeout + milliseconds{1};
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidSessionTimeout);
  request = Request();
  request.protocols[0].metadata.resize(kMaxMemberMetadataBytes + 1);
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidRequest);
  request = Request("", std::string(kMaxInstanceIdBytes + 1, 'i'));
  EXPECT_EQ(Joined(SendJoin(request)).error, ErrorCode::kInvalidRequest);
  EXPECT_EQ(coordinator_.groups(), 0u);

  for (size_t i = 0; i < kMaxGroupMembers; ++i) SendJoin(Request());
  EXPECT_EQ(Joined(SendJoin(Request())).error, ErrorCode::kGroupMaxSizeReached);
}

TEST_F(GroupTest, GroupsAreBoundedInNumber) {
  for (size_t i = 0; i < kMaxActiveGroups; ++i) {
    JoinRequest request = Request();
    request.group = fmt::format("group-{}", i);
    SendJoin(request);
  }
  EXPECT_EQ(Joined(SendJoin(Request())).error, ErrorCode::kCoordinatorNotAvailable);
}

TEST_F(GroupTest, AssignmentOfTooManyBytesIsRefusedAndTheGroupWaitsForAnother) {
  Ticket ticket = SendJoin(Request());
  Advance(kInitialRebalanceDelay);
  JoinResult leader = Joined(ticket);
  std::string big(kMaxAssignmentBytes + 1, 'x');
  EXPECT_EQ(Synced(SendSync(leader, {{leader.member_id, big}})).error, ErrorCode::kInvalidRequest);
  EXPECT_EQ(Synced(SendSync(leader, {{leader.member_id, "ok"}})).error, ErrorCode::kNone);
}

TEST_F(GroupTest, DescriptionHasAssignmentsOfAStableGroup) {
  auto members = MakeStable(2);
  GroupDescription description = coordinator_.Find("g")->Describe();
  EXPECT_EQ(GroupStateName(description.state), "Stable");
  EXPECT_EQ(description.protocol, "range");
  ASSERT_THAT(description.members, SizeIs(2));
  EXPECT_EQ(TextOf(description.members[0].assignment), "plan");
  SendJoin(Request());
  description = coordinator_.Find("g")->Describe();
  EXPECT_EQ(GroupStateName(description.state), "PreparingRebalance");
  EXPECT_THAT(description.members[0].assignment, IsEmpty());
}

TEST(ProtocolChoice, MostPreferredOfThoseThatAllSupportWins) {
  std::vector<GroupProtocol> a{Protocol("sticky"), Protocol("range")};
  std::vector<GroupProtocol> b{Protocol("roundrobin"), Protocol("range"), Protocol("sticky")};
  std::vector<GroupProtocol> c{Protocol("range"), Protocol("sticky")};
  std::vector<ProtocolList> all{a, b, c};
  EXPECT_EQ(ChooseProtocol(all), "range");
  EXPECT_EQ(ChooseProtocol(std::vector<ProtocolList>{a, c}), "range");  // a tie, by name
  std::vector<GroupProtocol> d{Protocol("other")};
  EXPECT_EQ(ChooseProtocol(std::vector<ProtocolList>{a, d}), std::nullopt);
  EXPECT_FALSE(SharesProtocol(d, all));
  EXPECT_TRUE(SharesProtocol(c, all));
}

}  // namespace
}  // namespace meridian::queue
