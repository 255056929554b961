#include "agent/engines/engines.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "agent/agent_world.hpp"
#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "site/view/view.hpp"
#include "watch/config.hpp"

namespace meridian::agent {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// A site with [watch] on a host without the programs.
class EnginesTest : public testing::Test, public AgentWorld {
 protected:
  EnginesTest() {
    site_.tiers = {{.name = "watch", .ports = {{.port = &site::Ports::watch}}}};
    site_.sections.Put(watch::Config{});
    site_.app.metrics_path = "/metrics";
    setenv("PATH", scratch_.path().c_str(), 1);
    context_.prometheus_password = site::Secret(std::string(64, 'd'));
    context_.alertmanager_password = site::Secret(std::string(64, 'e'));
    site_.ports.alertmanager = site_.ports.admin;  // free, and nobody listens there
    context_.metrics_password = site::Secret(std::string(64, 'f'));
  }

  ~EnginesTest() override { setenv("PATH", path_.c_str(), 1); }

  fs::path root() const { return state_.root() / "watch-us-east"; }
  static std::string Text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  using Test = std::function<io::Task<void>(Engines&)>;

  void Run(Test test) {
    Engines engines(context_, metrics_, [this] { changed_.WakeAll(); });
    auto all = [&]() -> io::Task<void> {
      io::Scope children(loop_);
      io::Scope background(loop_);
      engines.Start(children, background);
      co_await test(engines);
      engines.Stop();
      co_await children.Join();
      background.Cancel();
      co_await background.Join();
    };
    loop_.RunToEnd(all());
  }

  io::Task<bool> Until(std::function<bool()> condition) {
    const TimePoint deadline = loop_.After(std::chrono::seconds{60});
    while (!condition()) {
      // A file that is written wakes nobody.
      (void)co_await changed_.Wait(std::min(deadline, loop_.After(std::chrono::milliseconds{20})));
      if (loop_.Now() >= deadline) co_return false;
    }
    co_return true;
  }

  static site::InstanceView Instance(const char* id, const char* data_center, uint16_t port) {
    return {.id = id,
            .datacenter = data_center,
            .address = {IpAddress::V4(127, 0, 0, 1), port},
            .release = "7",
            .state = site::InstanceState::kHealthy};
  }

  std::string path_ = std::getenv("PATH");
  Context context_ = MakeContext();
  Metrics metrics_;
  io::WaitQueue changed_;
};

TEST_F(EnginesTest, TheirFilesAreForTheirUserAlone) {
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_TRUE(co_await Until([&] { return fs::exists(root() / "engines/targets.json"); }));
    for (const char* name :
         {"prometheus.yml", "alertmanager.yml", "prometheus.web.yml", "alertmanager.web.yml",
          "prometheus.password", "alertmanager.password", "metrics.password", "targets.json"}) {
      EXPECT_EQ(fs::status(root() / "engines" / name).permissions(),
                fs::perms::owner_read | fs::perms::owner_write)
          << name;
    }
    for (const char* name : {"", "engines", "prometheus", "alertmanager"}) {
      EXPECT_EQ(fs::status(root() / name).permissions(), fs::perms::owner_all) << name;
    }
    EXPECT_THAT(Text(root() / "engines/prometheus.web.yml"), Not(HasSubstr("dddd")));
    EXPECT_THAT(Text(root() / "engines/alertmanager.web.yml"), Not(HasSubstr("eeee")));
    EXPECT_NE(Text(root() / "engines/prometheus.web.yml"),
              Text(root() / "engines/alertmanager.web.yml"));
    EXPECT_EQ(Text(root() / "engines/prometheus.password"), std::string(64, 'd'));
    EXPECT_EQ(Text(root() / "engines/alertmanager.password"), std::string(64, 'e'));
    EXPECT_EQ(engines.Ready("prometheus"), nullptr);
  });
}

TEST_F(EnginesTest, AMissingProgramIsInTheStatus) {
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_TRUE(co_await Until([&] { return !engines.Status()[1].problem.empty(); }));
    EXPECT_EQ(engines.Status()[0].problem,
              "prometheus is not installed: apt-get install prometheus");
    EXPECT_EQ(engines.Status()[1].problem,
              "alertmanager is not installed: apt-get install prometheus-alertmanager");
    EXPECT_FALSE(engines.owns_notices());
  });
}

TEST_F(EnginesTest, TargetsAreTheRunningInstancesOfThisDataCenterAndWorkers) {
  Run([&](Engines& engines) -> io::Task<void> {
    site::SiteView view;
    view.instances = {Instance("us-east-1", "us-east", 10001),
                      Instance("us-west-1", "us-west", 10002), Instance("us-east-2", "us-east", 0),
                      Instance("us-east-3", "us-east", 10003)};
    view.instances[3].state = site::InstanceState::kStopped;
    engines.Observe(view, {{.at = {IpAddress::V4(127, 0, 0, 1), 10004},
                            .tier = "worker",
                            .instance = "us-east.mail-1",
                            .release = "7",
                            .worker = "mail",
                            .metrics_path = "/stats"}});
    const fs::path targets = root() / "engines/targets.json";
    EXPECT_TRUE(co_await Until([&] { return Text(targets).contains("us-east-1"); }));
    EXPECT_THAT(Text(targets), HasSubstr("127.0.0.1:10004"));
    for (const char* other : {"us-west", "us-east-2", "us-east-3"}) {
      EXPECT_THAT(Text(targets), Not(HasSubstr(other)));
    }
    engines.Observe({}, {});
    EXPECT_TRUE(co_await Until([&] { return Text(targets) == "[]\n"; }));
  });
}

// Says 200 to all at the address that --web.listen-address names.
constexpr const char* kAlertmanager = R"(#!/usr/bin/python3
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def log_message(self, *_): pass
at = next(each.split('=')[1] for each in sys.argv if each.startswith('--web.listen-address='))
http.server.HTTPServer((at.split(':')[0], int(at.split(':')[1])), Handler).serve_forever()
)";

TEST_F(EnginesTest, PrometheusKnowsAlertmanagerOnlyWhileItListensItself) {
  std::ofstream(scratch_ / "alertmanager") << kAlertmanager;
  fs::permissions(scratch_ / "alertmanager", fs::perms::owner_all);
  const fs::path config = root() / "engines/prometheus.yml";
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_TRUE(co_await Until([&] { return engines.Ready("alertmanager") != nullptr; }));
    EXPECT_TRUE(co_await Until([&] { return Text(config).contains("alertmanager.password"); }));
    fs::remove(scratch_ / "alertmanager");  // it does not come back
    kill(engines.Ready("alertmanager")->pid(), SIGKILL);
    EXPECT_TRUE(co_await Until([&] { return !Text(config).contains("alertmanager.password"); }));
    EXPECT_EQ(engines.Ready("alertmanager"), nullptr);
    EXPECT_THAT(Text(config), HasSubstr("prometheus.password"));
  });
}

TEST_F(EnginesTest, AFileThatWasWrittenBesideOneThatFailedIsNotForgotten) {
  std::ofstream(scratch_ / "alertmanager") << kAlertmanager;
  fs::permissions(scratch_ / "alertmanager", fs::perms::owner_all);
  const fs::path config = root() / "engines/prometheus.yml";
  const fs::path targets = root() / "engines/targets.json";
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_TRUE(co_await Until([&] { return Text(config).contains("alertmanager.password"); }));
    fs::remove(targets);
    fs::create_directories(targets / "in the way");
    site::SiteView view;
    view.instances = {Instance("us-east-1", "us-east", 10001)};
    engines.Observe(view, {});
    EXPECT_TRUE(co_await Until(
        [&] { return engines.Status()[1].problem.contains("files cannot be written"); }));
    fs::rename(scratch_ / "alertmanager", scratch_ / "removed");
    kill(engines.Ready("alertmanager")->pid(), SIGKILL);
    EXPECT_TRUE(co_await Until([&] { return !Text(config).contains("alertmanager.password"); }));
    fs::rename(scratch_ / "removed", scratch_ / "alertmanager");
    EXPECT_TRUE(co_await Until([&] { return engines.Ready("alertmanager") != nullptr; }));
    EXPECT_TRUE(co_await Until([&] { return Text(config).contains("alertmanager.password"); }));
    fs::remove_all(targets);
    EXPECT_TRUE(co_await Until([&] { return Text(targets).contains("us-east-1"); }));
  });
}

TEST_F(EnginesTest, AFolderThatIsOpenToOthersGetsNoPasswordUntilItIsClosed) {
  fs::create_directory(root());
  fs::permissions(root(), fs::perms::owner_all | fs::perms::others_read);
  // Otherwise the status would only say that they are not installed.
  for (const char* name : {"prometheus", "alertmanager"}) {
    std::ofstream(scratch_ / name) << "#!/bin/sh\nexec /bin/sleep 1000\n";
    fs::permissions(scratch_ / name, fs::perms::owner_all);
  }
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_TRUE(co_await Until([&] { return engines.Status()[0].problem.contains("chmod 700"); }));
    EXPECT_FALSE(fs::exists(root() / "engines"));
    EXPECT_EQ(engines.Status()[0].pid, 0);
    fs::permissions(root(), fs::perms::owner_all);
    EXPECT_TRUE(co_await Until([&] { return fs::exists(root() / "engines/prometheus.web.yml"); }));
  });
}

TEST_F(EnginesTest, NothingIsWrittenWhereAnExternalPrometheusTakesTheirPlace) {
  site_.externals["watch"] = {.url = site::Secret("http://u:p@a:9090"), .shown = "http://a:9090"};
  Run([&](Engines& engines) -> io::Task<void> {
    EXPECT_EQ(engines.Status().size(), 1u);
    EXPECT_EQ(engines.Status()[0].state, "external");
    EXPECT_EQ(engines.Status()[0].url, "http://a:9090");
    EXPECT_FALSE(fs::exists(root()));
    co_return;
  });
}

}  // namespace
}  // namespace meridian::agent
