#include "agent/engines/engine_child.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include "agent/agent_world.hpp"
#include "agent/context.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/secret.hpp"

namespace meridian::agent {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

// Listens at argv[1]:argv[2] and says 200 to the user meridian with the password 0123, else 401.
// Its output has a line for each SIGHUP.
constexpr const char* kEngine = R"(
import base64, http.server, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.headers.get('Authorization') == 'Basic ' + base64.b64encode(b'meridian:0123').decode()
        self.send_response(200 if right and self.path == '/ready' else 401)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def log_message(self, *_): pass
signal.signal(signal.SIGHUP, lambda *_: print('read again', flush=True))
server = http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print('listens', flush=True)
server.serve_forever()
)";

class EngineChildTest : public testing::Test, public AgentWorld {
 protected:
  EngineChildTest() {
    context_.engine_password = site::Secret("0123");
    std::filesystem::create_directories(log_path().parent_path());
  }

  std::filesystem::path log_path() const { return state_.root() / "logs/us-east/engine.log"; }
  std::string Log() const {
    std::ifstream file(log_path());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  EngineChild::Options Engine(std::vector<std::string> arguments, std::string program = "python3") {
    return {.name = "engine",
            .programs = {program},
            .package = "engine-package",
            .arguments = std::move(arguments),
            .at = {IpAddress::V4(127, 0, 0, 1), site_.ports.admin},
            .ready_path = "/ready",
            .directory = scratch_.path(),
            .changed = [this] { changed_.WakeAll(); }};
  }
  EngineChild::Options Listening() {
    return Engine({"-c", kEngine, "127.0.0.1", std::to_string(site_.ports.admin)});
  }

  using Test = std::function<io::Task<void>(EngineChild&)>;

  void Run(EngineChild::Options options, Test test) {
    EngineChild child(context_, std::move(options));
    auto all = [&]() -> io::Task<void> {
      io::Scope scope(loop_);
      scope.Spawn(child.Run());
      co_await test(child);
      child.Stop();
      co_await scope.Join();
    };
    loop_.RunToEnd(all());
  }

  io::Task<bool> Until(std::function<bool()> condition, Duration time = seconds{20}) {
    const TimePoint deadline = loop_.After(time);
    while (!condition()) {
      // What a process prints wakes nobody.
      (void)co_await changed_.Wait(std::min(deadline, loop_.After(std::chrono::milliseconds{20})));
      if (loop_.Now() >= deadline) co_return false;
    }
    co_return true;
  }

  Context context_ = MakeContext();
  io::WaitQueue changed_;
};

TEST_F(EngineChildTest, AProgramThatIsMissingIsNamedWithItsPackage) {
  Run(Engine({}, "no-such-engine"), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return !child.Status().problem.empty(); }));
    EXPECT_EQ(child.Status().problem, "engine is not installed: apt-get install engine-package");
    EXPECT_EQ(child.Status().state, "down");
  });
}

TEST_F(EngineChildTest, NothingRunsBeforeItsFilesAreThere) {
  Run(Listening(), [&](EngineChild& child) -> io::Task<void> {
    child.SetProblem("its files cannot be written: disk full");
    EXPECT_FALSE(co_await Until([&] { return child.pid() != 0; }, seconds{1}));
    EXPECT_THAT(child.Status().problem, HasSubstr("disk full"));
    child.SetProblem("");
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.ready(); }));
    EXPECT_THAT(child.Status().problem, IsEmpty());
  });
}

TEST_F(EngineChildTest, IsReadyAgainAfterItWasKilled) {
  Run(Listening(), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.ready(); }));
    const pid_t first = child.pid();
    kill(first, SIGKILL);
    EXPECT_TRUE(co_await Until([&] { return !child.ready(); }));
    EXPECT_TRUE(co_await Until([&] { return child.ready(); }));
    EXPECT_NE(child.pid(), first);
    EXPECT_EQ(child.restarts(), 1u);
    EXPECT_EQ(child.Status().state, "ready");
  });
}

TEST_F(EngineChildTest, ReadsItsFilesAgainAndItsOutputIsInItsLog) {
  Run(Listening(), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.pid() != 0; }));
    child.Reload();  // before it is ready: kept until then
    EXPECT_TRUE(co_await Until([&] { return Log().contains("read again"); }));
    EXPECT_THAT(Log(), HasSubstr("listens\n"));
  });
}

TEST_F(EngineChildTest, WhyItEndsIsToldWithItsLastLine) {
  Run(Engine({"-c", "print('no disk', flush=True); raise SystemExit(3)"}),
      [&](EngineChild& child) -> io::Task<void> {
        child.Begin();
        EXPECT_TRUE(
            co_await Until([&] { return child.Status().problem.contains("times in a row"); }));
        EXPECT_THAT(child.Status().problem, HasSubstr("exit status 3"));
        EXPECT_THAT(child.Status().problem, HasSubstr("no disk"));
      });
}

TEST_F(EngineChildTest, AStrangerAtItsPortIsNotShownThePassword) {
  auto stranger = network_.Listen({IpAddress::V4(127, 0, 0, 1), site_.ports.admin}, {});
  ASSERT_TRUE(stranger);
  Run(Engine({"-c", "import signal; signal.pause()"}), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.pid() != 0; }));
    auto visitor = co_await (*stranger)->Accept(loop_.After(seconds{1}));
    EXPECT_FALSE(visitor);
    EXPECT_FALSE(child.ready());
  });
}

}  // namespace
}  // namespace meridian::agent
