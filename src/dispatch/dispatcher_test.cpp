#include "dispatch/dispatcher.hpp"

#include <array>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "dispatch/dispatcher_fixture.hpp"

namespace meridian::dispatch {
namespace {

using Mode = PlayedInstance::Mode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Test;

using RetryTest = DispatcherFixture;
using EjectionTest = DispatcherFixture;

class AskTest : public DispatcherFixture {
 protected:
  uint32_t InFlight(size_t which) const {
    return (*roster_->instances())[which].instance->in_flight;
  }
};
using PanicTest = DispatcherFixture;
using ViewTest = DispatcherFixture;

TEST_F(RetryTest, WithEveryInstanceFailingTheLoadIsAtMostAFifthMoreThanOffered) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2, 3}) network_[port].mode = Mode::kBreak;
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await Status("GET"), "502");
    int load = network_[1].requests + network_[2].requests + network_[3].requests;
    EXPECT_EQ(load, 1200);
    EXPECT_EQ(Metric("meridian_balancer_retries_total"), 200);
    EXPECT_GE(Metric("meridian_balancer_retries_over_budget_total"), 800);
    EXPECT_EQ(Metric("meridian_balancer_failures_total"), 1200);
  });
}

TEST_F(RetryTest, ARareRequestIsTriedElsewhere) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2}) network_[port].mode = Mode::kBreak;
    EXPECT_EQ(co_await Status("GET"), "200");
  });
}

TEST_F(RetryTest, TriesAreLimitedByTheSetting) {
  config_.retries = 1;
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2, 3}) network_[port].mode = Mode::kBreak;
    EXPECT_EQ(co_await Status("GET"), "502");
    EXPECT_EQ(network_[1].requests + network_[2].requests + network_[3].requests, 2);
  });
}

TEST_F(RetryTest, APostThatMayHaveBeenProcessedIsNotSentAgain) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2});
    for (int port : {1, 2}) network_[port].mode = Mode::kBreak;
    EXPECT_EQ(co_await Status("POST"), "502");
    EXPECT_EQ(network_[1].requests + network_[2].requests, 1);
  });
}

TEST_F(RetryTest, APostWasSentToADyingInstanceOnAnotherOfItsConnections) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    network_[1].holds = true;
    io::Scope asking(loop_);
    std::array<std::string, 3> answers;
    for (std::string& answer : answers) asking.Spawn(StoreAnswer("/", &answer));
    co_await Yield();
    network_[1].holds = false;
    network_[1].held.WakeAll();
    co_await asking.Join();
    EXPECT_EQ(network_[1].open, 3U);
    network_[1].mode = Mode::kBreak;
    EXPECT_EQ(co_await Status("POST"), "502");
    co_await Yield();
    EXPECT_EQ(network_[1].open, 0U);
  });
}

TEST_F(RetryTest, ATryThatReachedNoInstanceCostsNoBudget) {
  config_.retry_budget = 0;
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2}) network_[port].mode = Mode::kRefuse;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(co_await Status("POST"), "200");
  });
}

TEST_F(RetryTest, ARequestThatNoInstanceSawMayGoToAnotherDataCenter) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2});
    for (int port : {1, 2}) network_[port].mode = Mode::kRefuse;
    for (int i = 0; i < 3; ++i) {
      std::string answer = co_await Fetch("POST");
      EXPECT_NE(answer.find(" 503 "), std::string::npos);
      EXPECT_TRUE(answer.ends_with("unavailable")) << answer;
    }
    // An instance whose port refuses connections is still tried, last.
    EXPECT_EQ(network_[1].connects + network_[2].connects, 6);
  });
}

TEST_F(RetryTest, AHungInstanceCostsOneTry) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2});
    network_[1].mode = Mode::kHang;
    TimePoint before = loop_.Now();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(co_await Status("GET"), "200");
    EXPECT_GE(network_[1].requests, 1);
    EXPECT_LE(loop_.Now() - before, config_.try_timeout * network_[1].requests + seconds{1});
  });
}

TEST_F(RetryTest, AHungInstanceWithoutAlternativeHasTheWholeTimeout) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    network_[1].mode = Mode::kHang;
    TimePoint before = loop_.Now();
    EXPECT_EQ(co_await Status("GET"), "504");
    EXPECT_EQ(loop_.Now() - before, config_.response_timeout);
    EXPECT_EQ(network_[1].requests, 1);
  });
}

TEST_F(RetryTest, APostHasTheWholeTimeoutAtOneInstance) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2});
    for (int port : {1, 2}) network_[port].mode = Mode::kHang;
    TimePoint before = loop_.Now();
    EXPECT_EQ(co_await Status("POST"), "504");
    EXPECT_EQ(loop_.Now() - before, config_.response_timeout);
    EXPECT_EQ(network_[1].requests + network_[2].requests, 1);
  });
}

TEST_F(RetryTest, AllTriesTogetherHaveTheResponseTimeout) {
  config_.retries = 10;
  config_.try_timeout = seconds{25};
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3, 4, 5});
    for (int port : {1, 2, 3, 4, 5}) network_[port].mode = Mode::kHang;
    TimePoint before = loop_.Now();
    EXPECT_EQ(co_await Status("GET"), "504");
    EXPECT_EQ(loop_.Now() - before, config_.response_timeout);
  });
}

TEST_F(RetryTest, AnAnswerThatTakesLongerThanATryComesWhenTheBudgetIsSpent) {
  config_.retry_budget = 0;
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2});
    for (int port : {1, 2}) network_[port].holds = true;
    io::Scope asking(loop_);
    std::string answer;
    asking.Spawn(StoreAnswer("/slow", &answer));
    (void)co_await io::Sleep(config_.try_timeout * 2);
    for (int port : {1, 2}) network_[port].held.WakeAll();
    co_await asking.Join();
    EXPECT_NE(answer.find(" 200 "), std::string::npos);
  });
}

TEST_F(AskTest, TakesTheAnswerAndKeepsTheSlotUntilItIsDestroyed) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    Outcome outcome = co_await dispatcher_->Fetch({.path = "/behind", .host = "a"});
    EXPECT_EQ(outcome.kind, Outcome::Kind::kTaken);
    if (outcome.taken == nullptr) co_return;
    EXPECT_EQ(outcome.taken->head().status, 200);
    EXPECT_EQ(InFlight(0), 1U);
    outcome.taken.reset();
    EXPECT_EQ(InFlight(0), 0U);
    EXPECT_EQ(network_[1].seen, "/behind ");
  });
}

TEST_F(AskTest, GoesElsewhereAfterAFailure) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    network_[1].mode = Mode::kBreak;
    network_[2].mode = Mode::kHang;
    for (int i = 0; i < 5; ++i) {
      Outcome outcome = co_await dispatcher_->Fetch({.path = "/", .host = "a"});
      EXPECT_EQ(outcome.kind, Outcome::Kind::kTaken);
    }
    for (size_t i : {0U, 1U, 2U}) EXPECT_EQ(InFlight(i), 0U);
  });
}

TEST_F(AskTest, ReportsWhetherAnInstanceMayHaveSeenTheRequest) {
  Run([&]() -> io::Task<void> {
    Outcome nobody = co_await dispatcher_->Fetch({.path = "/", .host = "a"});
    EXPECT_EQ(nobody.kind, Outcome::Kind::kUnavailable);
    SetInstances({1});
    network_[1].mode = Mode::kHang;
    Outcome late = co_await dispatcher_->Fetch({.path = "/", .host = "a"});
    EXPECT_EQ(late.kind, Outcome::Kind::kFailed);
    EXPECT_EQ(late.error.code, Errc::kTimeout);
  });
}

TEST_F(EjectionTest, AnInstanceThatAnswersWithErrorsIsEjectedUntilItRecovers) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    network_[1].status = 500;
    for (int i = 0; i < 100; ++i) (void)co_await Status("GET");
    EXPECT_EQ(Metric("meridian_balancer_ejections_total"), 1);
    int seen = network_[1].requests;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await Status("GET"), "200");
    EXPECT_EQ(network_[1].requests, seen);

    network_[1].status = 200;
    (void)co_await io::Sleep(InstanceHealth::kFirstEjection + config_.health_interval * 2);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(co_await Status("GET"), "200");
    EXPECT_GT(network_[1].requests, seen);
    EXPECT_LT(network_[1].requests, seen + 80);  // it starts slowly
  });
}

TEST_F(EjectionTest, TheReportHasTheUseOfEachInstance) {
  using enum site::InstanceUse;
  config_.slow_start = std::chrono::seconds{1};
  Run([&]() -> io::Task<void> {
    network_[4].mode = PlayedInstance::Mode::kRefuse;
    SetInstances({1, 2, 3, 4});
    auto use = [&](size_t which) { return roster_->Report()[which].use; };
    EXPECT_EQ(use(0), kSlowStart);
    (void)co_await io::Sleep(std::chrono::seconds{2});
    EXPECT_EQ(roster_->Report()[1], (site::InstanceReport{.id = "i2", .use = kUsed}));

    network_[1].status = 500;
    for (int i = 0; i < 100; ++i) (void)co_await Status("GET");
    site::InstanceReport ejected = roster_->Report()[0];
    EXPECT_EQ(ejected.use, kEjected);
    EXPECT_GE(ejected.requests, ejected.failures);
    EXPECT_GE(ejected.failures, 3U);
    (void)co_await io::Sleep(InstanceHealth::kFirstEjection);
    EXPECT_TRUE(use(0) == kOnTrial || use(0) == kSlowStart);

    network_[2].checks_good = false;
    (void)co_await io::Sleep(config_.health_interval * 3);
    EXPECT_EQ(use(1), kFailing);
    EXPECT_EQ(use(3), kRefusing);
    SetViews({View(1, site::InstanceState::kUnhealthy)});
    EXPECT_EQ(use(0), kUnknown);
  });
}

TEST_F(EjectionTest, TheReportHasTheRequestsInFlight) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    network_[1].holds = true;
    io::Scope asking(loop_);
    std::string answer;
    asking.Spawn(StoreAnswer("/slow", &answer));
    co_await Yield();
    EXPECT_EQ(roster_->Report()[0].in_flight, 1U);
    network_[1].held.WakeAll();
    co_await asking.Join();
    EXPECT_EQ(roster_->Report()[0].in_flight, 0U);
  });
}

TEST_F(EjectionTest, WhenAllAnswerWithErrorsNoneIsEjected) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2, 3}) network_[port].status = 500;
    for (int i = 0; i < 200; ++i) EXPECT_EQ(co_await Status("GET"), "500");
    EXPECT_EQ(Metric("meridian_balancer_ejections_total"), 0);
  });
}

TEST_F(PanicTest, WhenAllChecksFailTheRequestsAreStillAnswered) {
  Run([&]() -> io::Task<void> {
    SetInstances({1, 2, 3});
    for (int port : {1, 2, 3}) network_[port].checks_good = false;
    (void)co_await io::Sleep(config_.health_interval * 3);
    EXPECT_EQ(Metric("meridian_balancer_panic"), 1);
    EXPECT_EQ(roster_->Report()[0].use, site::InstanceUse::kUsed) << "as it is used";
    EXPECT_EQ(roster_->problem(), "panic: 0 of 3 running instances look well; all are used");
    for (int i = 0; i < 60; ++i) EXPECT_EQ(co_await Status("GET"), "200");
    for (int port : {1, 2, 3}) EXPECT_GT(network_[port].requests, 5);

    for (int port : {1, 2, 3}) network_[port].checks_good = true;
    (void)co_await io::Sleep(config_.health_interval * 2);
    EXPECT_EQ(Metric("meridian_balancer_panic"), 0);
    EXPECT_EQ(roster_->problem(), "");
  });
}

TEST_F(PanicTest, AnInstanceThatTheAgentDoesNotCallHealthyIsNotUsed) {
  Run([&]() -> io::Task<void> {
    SetViews({View(1, site::InstanceState::kUnhealthy), View(2, site::InstanceState::kDraining)});
    EXPECT_EQ(co_await Status("GET"), "503");
    EXPECT_EQ(network_[1].requests + network_[2].requests, 0);
    EXPECT_EQ(roster_->problem(), "");
  });
}

TEST_F(ViewTest, ARemovedInstanceFinishesItsRequestsAndItsConnectionsAreClosed) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    EXPECT_EQ(co_await Status("GET"), "200");
    network_[1].holds = true;
    io::Scope asking(loop_);
    std::string answer;
    asking.Spawn(StoreAnswer("/last", &answer));
    co_await Yield();
    SetInstances({2});
    EXPECT_EQ(co_await Status("GET"), "200");
    EXPECT_EQ(network_[2].requests, 1);
    network_[1].held.WakeAll();
    co_await asking.Join();
    EXPECT_TRUE(answer.ends_with("/last"));
    (void)co_await io::Sleep(config_.health_interval * 2);
    EXPECT_EQ(network_[1].open, 0U);
  });
}

using InstanceMetricsTest = DispatcherFixture;

TEST_F(InstanceMetricsTest, RequestsFailuresAndDurationsAreThoseOfOneInstanceAndRelease) {
  Run([&]() -> io::Task<void> {
    site::InstanceView view = View(1);
    view.release = "r1";
    SetViews({view});
    EXPECT_EQ(co_await Status("GET"), "200");
    network_[1].status = 500;
    EXPECT_EQ(co_await Status("GET"), "500");
    view.release = "r2";  // a new release was deployed
    SetViews({view});
    network_[1].mode = Mode::kBreak;
    EXPECT_EQ(co_await Status("POST"), "502");
    const std::string first = "{instance=\"i1\",release=\"r1\"}";
    const std::string second = "{instance=\"i1\",release=\"r2\"}";
    EXPECT_EQ(Metric("meridian_balancer_instance_requests_total" + first), 2);
    EXPECT_EQ(Metric("meridian_balancer_instance_failures_total" + first), 1);
    EXPECT_EQ(Metric("meridian_balancer_instance_duration_seconds_count" + first), 2);
    EXPECT_EQ(Metric("meridian_balancer_instance_requests_total" + second), 1);
    EXPECT_EQ(Metric("meridian_balancer_instance_failures_total" + second), 1);
    EXPECT_EQ(Metric("meridian_balancer_instance_duration_seconds_count" + second), 0);
  });
}

TEST_F(InstanceMetricsTest, RemovedInstancesFreeTheirMemory) {
  Run([&]() -> io::Task<void> {
    for (uint16_t port = 1; port <= 3 * kMaxSeries; ++port) {
      SetInstances({port});
      co_await Yield();
    }
    (void)co_await io::Sleep(config_.health_interval * 2);  // removed instances are not checked
    for (uint16_t port = 1; port <= 3 * kMaxSeries; ++port) {
      SetInstances({port});
      co_await Yield();
    }
    for (const MetricFamilyReading& family : metrics_.Read()) {
      EXPECT_LE(family.series.size(), kMaxSeries + 1) << family.name;
    }
  });
}

}  // namespace
}  // namespace meridian::dispatch
