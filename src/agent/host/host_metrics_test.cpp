#include "agent/host/host_metrics.hpp"

#include <chrono>
#include <latch>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/host/host_families.hpp"
#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class HostMetricsTest : public testing::Test {
 protected:
  HostMetrics::Options Counting() {
    return {.subjects = [] { return std::vector<ProcessSubject>(); },
            .read =
                [this](const auto&) {
                  ++calls_;
                  return HostReading{.load = Load{.minutes_1 = 2.5}};
                }};
  }
  std::string Text() { return MetricsText(metrics_); }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::BlockingPool pool_;
  Metrics metrics_;
  int calls_ = 0;  // of the pool's thread, read after it
};

TEST_F(HostMetricsTest, ManyWhoAskAtOnceOrWithinASecondShareOneReading) {
  auto main = [&]() -> io::Task<void> {
    HostMetrics host(loop_, pool_, metrics_, Counting());
    std::vector<std::string> texts;
    auto ask = [&]() -> io::Task<void> { texts.push_back(MetricsText(co_await host.Read())); };
    io::Scope scope(loop_);
    for (int i = 0; i < 5; ++i) scope.Spawn(ask());
    co_await scope.Join();
    co_await ask();
    co_await host.Stop();
    EXPECT_THAT(texts, SizeIs(6));
    for (const std::string& text : texts) {
      EXPECT_THAT(text, HasSubstr("meridian_host_load{minutes=\"1\"} 2.5\n"));
    }
  };
  loop_.RunToEnd(main());
  EXPECT_EQ(calls_, 1);
  EXPECT_THAT(Text(), HasSubstr("meridian_agent_host_readings_total 1\n"));
}

TEST_F(HostMetricsTest, AReadingThatHangsLeavesTheHostOutOfTheAnswerAndIsCounted) {
  std::latch released(1);
  auto main = [&]() -> io::Task<void> {
    HostMetrics host(loop_, pool_, metrics_,
                     {.subjects = [] { return std::vector<ProcessSubject>(); },
                      .read =
                          [&](const auto&) {
                            ++calls_;
                            released.wait();
                            return HostReading{};
                          },
                      .timeout = std::chrono::milliseconds(5)});
    EXPECT_THAT(co_await host.Read(), IsEmpty());
    EXPECT_THAT(co_await host.Read(), IsEmpty()) << "no second reading beside the hung one";
    EXPECT_THAT(Text(), HasSubstr("meridian_agent_host_reading_timeouts_total 2\n"));
    released.count_down();
    co_await host.Stop();
    EXPECT_THAT(co_await host.Read(), Not(IsEmpty()));
  };
  loop_.RunToEnd(main());
  EXPECT_EQ(calls_, 1);
}

TEST(HostFamilies, AreValidTextWithPartsOfSecondsAndExactCounts) {
  HostReading reading{
      .cpu = {.times = {{"user", 12.25}, {"idle", 0}}},
      .block_devices = {{.name = "a\"b", .reads = 18446744073709551615U}},
      .clock = ClockReading{.synchronized = true, .offset_seconds = -0.5},
      .processes = {{.kind = "tier", .name = "edge", .threads = 4, .cpu_seconds = 1.5}}};
  std::string text = MetricsText(HostFamilies(reading));
  for (const char* line : {
           "# TYPE meridian_host_cpu_seconds_total counter\n",
           "meridian_host_cpu_seconds_total{mode=\"user\"} 12.25\n",
           "meridian_host_cpu_seconds_total{mode=\"idle\"} 0\n",
           "meridian_host_disk_reads_total{device=\"a\\\"b\"} 18446744073709551615\n",
           "meridian_host_clock_offset_seconds -0.5\n",
           "meridian_host_clock_synchronized 1\n",
           "meridian_host_process_threads{kind=\"tier\",name=\"edge\"} 4\n",
           "meridian_host_process_cpu_seconds_total{kind=\"tier\",name=\"edge\"} 1.5\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  for (const char* absent : {"meridian_host_memory_total_bytes ", "meridian_host_load{",
                             "meridian_host_process_open_descriptors{", "network_bytes_total{"}) {
    EXPECT_THAT(text, Not(HasSubstr(std::string("\n") + absent))) << absent;
  }
}

TEST(HostSubjects, AreTheAgentAndTheProcessesThatRun) {
  DataCenterStatus status{.pid = 5};
  status.tiers = {{.name = "edge", .pid = 10}, {.name = "session", .state = "external"}};
  status.instances = {{.id = "east-1", .pid = 11}, {.id = "east-2", .pid = 0}};
  status.workers = {{.id = "thumbs-1", .pid = 12}};
  std::string text;
  for (const ProcessSubject& each : SubjectsOf(status)) {
    text += each.kind + " " + each.name + " " + std::to_string(each.pid) +
            (each.with_descendants ? "+ " : " ");
  }
  EXPECT_EQ(text, "agent agent 5 tier edge 10+ instance east-1 11+ worker thumbs-1 12+ ");
}

TEST(HostSubjects, PastTheLimitShareOneName) {
  DataCenterStatus status{.pid = 5};
  for (size_t i = 0; i < kMaxProcessSubjects + 9; ++i) {
    status.workers.push_back({.id = "w-" + std::to_string(i), .pid = static_cast<pid_t>(100 + i)});
  }
  std::vector<ProcessSubject> subjects = SubjectsOf(status);
  ASSERT_THAT(subjects, SizeIs(kMaxProcessSubjects + 10));
  EXPECT_EQ(subjects[kMaxProcessSubjects - 1].kind, "worker");
  EXPECT_EQ(subjects[kMaxProcessSubjects].name, "_overflow");
  EXPECT_EQ(subjects.back().kind, "_overflow");
}

}  // namespace
}  // namespace meridian::agent
