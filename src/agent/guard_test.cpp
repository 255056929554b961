#include "agent/guard.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/result.hpp"
#include "base/scratch_dir.hpp"
#include "io/descendants.hpp"

namespace meridian::agent {
namespace {

class GuardTest : public testing::Test {
 protected:
  // The guard's exit status for an agent that is this shell script; "$PIDS" is the pid file.
  int Run(const std::string& script) {
    setenv("PIDS", pid_file_.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
    Result<int> status = RunGuard({.agent_command = {"sh", "-c", script}, .pid_file = pid_file_});
    return status.value_or(-1);
  }

  ScratchDir scratch_;
  std::filesystem::path pid_file_ = scratch_ / "us-east";
};

TEST_F(GuardTest, TheAgentsExitStatusIsTheGuards) {
  EXPECT_EQ(Run("exit 0"), 0);
  EXPECT_EQ(Run("exit 3"), 3);
  EXPECT_EQ(Run("kill -9 $$"), 128 + 9);
}

TEST_F(GuardTest, WhileTheAgentRunsAFileSaysBothPids) {
  EXPECT_EQ(Run("until grep -qx \"agent $$\" $PIDS; do :; done; grep -qx \"guard $PPID\" $PIDS"),
            0);
  EXPECT_FALSE(std::filesystem::exists(pid_file_));
}

TEST_F(GuardTest, NoDescendantOutlivesAnAgentThatIsKilled) {
  EXPECT_EQ(Run("sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & kill -9 $$"), 128 + 9);
  EXPECT_TRUE(io::Descendants(getpid()).empty());
}

TEST_F(GuardTest, ASignalToEndIsPassedOnAndTheAgentMayFinish) {
  EXPECT_EQ(Run("trap 'exit 7' TERM; kill -TERM $PPID; while :; do sleep 0.01; done"), 7);
}

TEST_F(GuardTest, ASignalToLoseTheDataCenterKillsAtOnce) {
  EXPECT_EQ(Run("trap '' TERM; kill -QUIT $PPID; while :; do sleep 0.01; done"), 128 + 9);
  EXPECT_TRUE(io::Descendants(getpid()).empty());
}

TEST_F(GuardTest, TheLifelineIsOpenWhileTheGuardLives) {
  // Reading it blocks: there is no data, and no end.
  EXPECT_EQ(Run("timeout 0.05 cat <&3; test $? = 124"), 0);
}

TEST_F(GuardTest, AnAgentThatCannotBeRunIsAnError) {
  Result<int> status = RunGuard({.agent_command = {"/no/such/agent"}, .pid_file = pid_file_});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace meridian::agent
