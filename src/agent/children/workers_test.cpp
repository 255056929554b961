#include "agent/children/workers.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "agent/agent_world.hpp"
#include "agent/logs/log_forwarder.hpp"
#include "base/metrics_text.hpp"

namespace meridian::agent {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class WorkersTest : public testing::Test {
 protected:
  void Add(std::string name, std::string script, uint32_t instances = 1) {
    world_.site_.workers.push_back({.name = name,
                                    .command = {"sh", "-c", std::move(script)},
                                    .directory = world_.scratch_.path(),
                                    .instances = instances,
                                    .topic = "uploads",
                                    .group = name,
                                    .stop_timeout = seconds{10}});
  }

  // Runs the workers until `done` is true of their status, then stops them.
  void RunUntil(std::function<bool(Workers&)> done) {
    context_.emplace(world_.MakeContext());
    context_->service_variables = {{"KAFKA_BROKERS", "127.0.0.1:9092"}};
    context_->worker_variables["thumbnail"] = {{"MERIDIAN_RETRY_TOPICS", "a,b"}};
    logs_.emplace(*context_, metrics_);
    workers_.emplace(*context_, *logs_, metrics_, [this] { changed_.WakeAll(); });
    auto all = [&]() -> io::Task<void> {
      io::Scope scope(world_.loop_);
      workers_->Start(scope);
      TimePoint deadline = world_.loop_.After(seconds{20});
      while (!done(*workers_)) {
        Result<void> waited = co_await changed_.Wait(deadline);
        EXPECT_TRUE(waited) << waited.error().message;
        if (!waited) break;
      }
      workers_->Stop();
      co_await scope.Join();
    };
    world_.loop_.RunToEnd(all());
  }

  std::string Shown() const { return MetricsText(metrics_); }

  AgentWorld world_;
  Metrics metrics_;
  io::WaitQueue changed_;
  std::optional<Context> context_;
  std::optional<LogForwarder> logs_;
  std::optional<Workers> workers_;
};

bool AllRun(Workers& workers) {
  auto pids = workers.pids();
  return std::ranges::all_of(pids, [](pid_t pid) { return pid != 0; });
}

TEST_F(WorkersTest, EachProcessRunsUnderItsOwnIdUntilTheyAreStopped) {
  Add("thumbnail", "exec sleep 1000", 2);
  Add("mail", "exec sleep 1000");
  std::vector<std::string> ids;
  RunUntil([&](Workers& workers) {
    if (!AllRun(workers)) return false;
    for (const WorkerStatus& status : workers.Status()) {
      EXPECT_EQ(status.state, "running");
      ids.push_back(status.id);
    }
    return true;
  });
  EXPECT_EQ(ids, (std::vector<std::string>{"us-east.thumbnail-1", "us-east.thumbnail-2",
                                           "us-east.mail-1"}));
  EXPECT_FALSE(workers_->running());
}

TEST_F(WorkersTest, AWorkerFindsItsTopicGroupAndTheServicesInItsEnvironment) {
  Add("thumbnail",
      "echo $MERIDIAN_WORKER $MERIDIAN_TOPIC $MERIDIAN_GROUP $MERIDIAN_DC $MERIDIAN_INSTANCE "
      "$KAFKA_BROKERS $MERIDIAN_RETRY_TOPICS [$PORT]; exit 1");
  std::string problem;
  RunUntil([&](Workers& workers) {
    problem = workers.Status()[0].problem;
    return !problem.empty();
  });
  EXPECT_THAT(problem, HasSubstr("thumbnail uploads thumbnail us-east us-east.thumbnail-1 "
                                 "127.0.0.1:9092 a,b []"));
}

TEST_F(WorkersTest, AWorkerThatKeepsEndingIsFailingAndSaysWhyWhileAnotherRuns) {
  Add("thumbnail", "echo no database; exit 3");
  Add("mail", "exec sleep 1000");
  WorkerStatus failing;
  WorkerStatus other;
  RunUntil([&](Workers& workers) {
    failing = workers.Status()[0];
    other = workers.Status()[1];
    return failing.state == "failing" && other.state == "running";
  });
  EXPECT_THAT(failing.problem, HasSubstr("ended 3 times in a row"));
  EXPECT_THAT(failing.problem, HasSubstr("exit status 3; it printed last: no database"));
  EXPECT_EQ(other.restarts, 0u);
}

TEST_F(WorkersTest, AProcessThatIsKilledIsStartedAgainAndCounted) {
  Add("thumbnail", "exec sleep 1000");
  pid_t first = 0;
  RunUntil([&](Workers& workers) {
    pid_t pid = workers.pids()[0];
    if (first == 0 && pid != 0) kill(first = pid, SIGKILL);
    return pid != 0 && pid != first;
  });
  EXPECT_EQ(workers_->Status()[0].restarts, 1u);
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_worker_restarts_total{worker=\"thumbnail\"} 1"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_workers_running{worker=\"thumbnail\"} 0"));
}

TEST_F(WorkersTest, ARestartAsksTheProcessAndIsNoProblem) {
  Add("thumbnail", "trap 'exit 0' TERM; while true; do sleep 0.01; done");
  pid_t first = 0;
  RunUntil([&](Workers& workers) {
    pid_t pid = workers.pids()[0];
    if (first == 0 && pid != 0) {
      first = pid;
      EXPECT_TRUE(workers.Restart("us-east.thumbnail-1"));
      EXPECT_FALSE(workers.Restart("us-east.thumbnail-2"));
    }
    EXPECT_EQ(workers.Status()[0].problem, "");
    return pid != 0 && pid != first;
  });
}

}  // namespace
}  // namespace meridian::agent
