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
using testing::Not;

// Listens at argv[1]:argv[2] and says 200 to the user meridian with the password 0123, else 401.
// At SIGHUP it prints a line, and its metrics say that it read its configuration, or that it
// refused it where its folder has the file "refuse".
constexpr const char* kEngine = R"(
import base64, http.server, os, signal, sys, time
successful, success = 1, time.time()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.headers.get('Authorization') == 'Basic ' + base64.b64encode(b'meridian:0123').decode()
        body = ('engine_config_last_reload_successful %d\n'
                'engine_config_last_reload_success_timestamp_seconds %f\n' % (successful, success)
                if self.path == '/metrics' else '').encode()
        self.send_response(200 if right and self.path in ('/ready', '/metrics') else 401)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
def reload(*_):
    global successful, success
    successful = 0 if os.path.exists('refuse') else 1
    success = time.time() if successful else success
    print('read again' if successful else 'bad rules', flush=True)
signal.signal(signal.SIGHUP, reload)
server = http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print('listens', flush=True)
server.serve_forever()
)";

class EngineChildTest : public testing::Test, public AgentWorld {
 protected:
  EngineChildTest() { std::filesystem::create_directories(log_path().parent_path()); }

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
            .metrics_path = "/metrics",
            .directory = scratch_.path(),
            .changed = [this] { changed_.WakeAll(); },
            .password = site::Secret("0123")};
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

TEST_F(EngineChildTest, TheReasonOfAnEndHasItsLastLine) {
  Run(Engine({"-c", "print('no disk', flush=True); raise SystemExit(3)"}),
      [&](EngineChild& child) -> io::Task<void> {
        child.Begin();
        EXPECT_TRUE(
            co_await Until([&] { return child.Status().problem.contains("times in a row"); }));
        EXPECT_THAT(child.Status().problem, HasSubstr("exit status 3"));
        EXPECT_THAT(child.Status().problem, HasSubstr("no disk"));
        // The next process has printed nothing yet.
        EXPECT_TRUE(co_await Until([&] { return child.pid() != 0; }));
        EXPECT_THAT(child.Status().problem, HasSubstr("no disk"));
      });
}

TEST_F(EngineChildTest, ASecretThatItPrintsIsNeitherInItsLogNorInTheStatus) {
  EngineChild::Options options = Engine(
      {"-c", "print('Post https://hooks.example/T0/B1: 404', flush=True); raise SystemExit(3)"});
  options.secrets = {"https://hooks.example/T0/B1"};
  Run(std::move(options), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.Status().problem.contains("times in a row"); }));
    EXPECT_THAT(child.Status().problem, HasSubstr("Post [secret]: 404"));
    EXPECT_THAT(Log(), HasSubstr("Post [secret]: 404\n"));
    EXPECT_THAT(Log(), Not(HasSubstr("T0/B1")));
  });
}

TEST_F(EngineChildTest, AConfigurationThatItRefusesIsInTheStatusUntilItTakesOne) {
  Run(Listening(), [&](EngineChild& child) -> io::Task<void> {
    std::ofstream(scratch_ / "refuse") << "x";
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.ready(); }));
    child.Reload();
    EXPECT_TRUE(
        co_await Until([&] { return child.Status().problem.contains("refuses its new conf"); }));
    EXPECT_THAT(child.Status().problem, HasSubstr("bad rules"));
    EXPECT_EQ(child.Status().state, "ready");
    std::filesystem::remove(scratch_ / "refuse");
    child.Reload();
    EXPECT_TRUE(co_await Until([&] { return child.Status().problem.empty(); }));
  });
}

TEST_F(EngineChildTest, TheOwnerOfItsPortIsNamedAndItRunsOnceThePortIsFree) {
  auto stranger = network_.Listen({IpAddress::V4(127, 0, 0, 1), site_.ports.admin}, {});
  ASSERT_TRUE(stranger);
  Run(Listening(), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.Status().problem.contains("is in use by"); }));
    EXPECT_THAT(child.Status().problem, HasSubstr("give [watch] another port in site.toml"));
    EXPECT_EQ(child.pid(), 0);
    stranger->reset();
    EXPECT_TRUE(co_await Until([&] { return child.ready(); }));
  });
}

TEST_F(EngineChildTest, AStrangerAtItsPortIsNotShownThePassword) {
  Run(Engine({"-c", "import signal; signal.pause()"}), [&](EngineChild& child) -> io::Task<void> {
    child.Begin();
    EXPECT_TRUE(co_await Until([&] { return child.pid() != 0; }));
    // It listens before the engine does.
    auto stranger = network_.Listen({IpAddress::V4(127, 0, 0, 1), site_.ports.admin}, {});
    EXPECT_TRUE(stranger);
    if (!stranger) co_return;
    auto visitor = co_await (*stranger)->Accept(loop_.After(seconds{1}));
    EXPECT_FALSE(visitor);
    EXPECT_FALSE(child.ready());
  });
}

}  // namespace
}  // namespace meridian::agent
