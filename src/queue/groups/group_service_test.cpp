// Consumer groups as fibers await them, in a simulated world.
#include "queue/groups/group_service.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/sim/sim_fixture.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;

JoinRequest Request(std::string member_id = {}) {
  JoinRequest request{.group = "g",
                      .member = {std::move(member_id), ""},
                      .client_id = "client",
                      .session_timeout = seconds{10},
                      .rebalance_timeout = seconds{30},
                      .protocol_type = "consumer"};
  request.protocols.push_back({.name = "range", .metadata = {1}});
  return request;
}

class GroupServiceTest : public io::sim::SimTest {
 protected:
  void Run(std::function<Task<void>(Machine&, GroupService&)> use) {
    AddClient([this, use = std::move(use)](Machine& machine) { return Use(machine, use); });
    RunClient();
  }
  Task<void> Use(Machine& machine, const std::function<Task<void>(Machine&, GroupService&)>& use) {
    GroupService groups(machine.loop, 7);
    co_await use(machine, groups);
    co_await groups.Close();
  }
  static Task<void> Join(GroupService& groups, JoinRequest request, Ticket ticket,
                         std::optional<JoinResult>& result) {
    result = co_await groups.Join(std::move(request), ticket);
  }
};

TEST_F(GroupServiceTest, JoinIsAnsweredWhenTheGenerationBegins) {
  Run([](Machine& machine, GroupService& groups) -> Task<void> {
    TimePoint begin = machine.loop.Now();
    JoinResult joined = co_await groups.Join(Request(), groups.NewTicket());
    EXPECT_EQ(joined.error, ErrorCode::kNone);
    EXPECT_EQ(machine.loop.Now() - begin, kInitialRebalanceDelay);
    SyncRequest sync{.group = "g", .member = {joined.member_id, ""}, .generation = 1};
    sync.assignments[joined.member_id] = {42};
    SyncResult synced = co_await groups.Sync(std::move(sync), groups.NewTicket());
    EXPECT_EQ(synced.assignment, std::vector<uint8_t>{42});
  });
}

TEST_F(GroupServiceTest, MemberThatIsSilentIsRemovedWithoutAnyRequest) {
  Run([](Machine& /*machine*/, GroupService& groups) -> Task<void> {
    (void)co_await groups.Join(Request(), groups.NewTicket());
    EXPECT_NE(groups.coordinator().Find("g"), nullptr);
    (void)co_await io::Sleep(seconds{11});
    EXPECT_EQ(groups.coordinator().Find("g"), nullptr);
  });
}

TEST_F(GroupServiceTest, AbandonedWaitEndsAndItsMemberMissesItsSession) {
  Run([](Machine& machine, GroupService& groups) -> Task<void> {
    std::optional<JoinResult> result;
    io::Scope scope(machine.loop);
    Ticket ticket = groups.NewTicket();
    scope.Spawn(Join(groups, Request(), ticket, result));
    (void)co_await io::Sleep(milliseconds{1});
    groups.Abandon(ticket);
    (void)co_await io::Sleep(milliseconds{1});
    EXPECT_TRUE(result && result->error == ErrorCode::kCoordinatorNotAvailable);
    groups.Abandon(ticket);  // it is over
    (void)co_await io::Sleep(seconds{12});
    EXPECT_EQ(groups.coordinator().groups(), 0u);
    co_await scope.Join();
  });
}

TEST_F(GroupServiceTest, CloseEndsAllWaitsAndRefusesWhatComesLater) {
  Run([](Machine& machine, GroupService& groups) -> Task<void> {
    std::optional<JoinResult> first;
    std::optional<JoinResult> second;
    io::Scope scope(machine.loop);
    scope.Spawn(Join(groups, Request(), groups.NewTicket(), first));
    scope.Spawn(Join(groups, Request(), groups.NewTicket(), second));
    (void)co_await io::Sleep(milliseconds{1});
    co_await groups.Close();
    co_await scope.Join();
    EXPECT_TRUE(first && first->error == ErrorCode::kCoordinatorNotAvailable);
    EXPECT_TRUE(second && second->error == ErrorCode::kCoordinatorNotAvailable);
    JoinResult late = co_await groups.Join(Request(), groups.NewTicket());
    EXPECT_EQ(late.error, ErrorCode::kCoordinatorNotAvailable);
  });
}

}  // namespace
}  // namespace meridian::queue
