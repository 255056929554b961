#include "site/tier/tier_process.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::site {
namespace {

// Runs a TierProcess in this process, with the agent's end of its control stream. It is ended by
// SIGTERM as soon as it serves.
class TierUnderTest {
 public:
  TierUnderTest() {
    site_.name = "photos";
    site_.domain = "photos.example";
    site_.datacenters = {{.name = "us-east", .address = IpAddress::V4(127, 0, 0, 1)}};
    std::array<int, 2> pair{};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    agents_end_ = io::Fd(pair[0]);
    // The TierProcess owns these two.
    io::Fd ops = io::OpenListeningSocket({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    process_ = std::make_unique<TierProcess>(site_, TierStart{.tier = "balancer",
                                                              .data_center = "us-east",
                                                              .control_fd = pair[1],
                                                              .sockets = {{"ops", ops.Release()}}});
  }

  void SendView(uint64_t number) {
    SiteView view{.number = number};
    std::string line = EncodeView(view).value();
    CHECK(write(agents_end_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  }

  // The exit status.
  int Run(Duration first_view_timeout) {
    return process_->Run({.start = [this] { return Serve(); },
                          .on_view = [this] { ++views_taken_; },
                          .first_view_timeout = first_view_timeout});
  }

  // The number of the view at its start of service; nothing: it never served.
  std::optional<uint64_t> served_by() const { return served_by_; }
  int views_taken() const { return views_taken_; }

 private:
  io::Task<Result<void>> Serve() {
    served_by_ = process_->view()->number;
    kill(getpid(), SIGTERM);
    co_return Result<void>{};
  }

  Site site_;
  io::Fd agents_end_;
  std::unique_ptr<TierProcess> process_;
  std::optional<uint64_t> served_by_;
  int views_taken_ = 0;
};

TEST(TierProcess, ServesInheritedSocketsOnlyWhenItHasTheAgentsView) {
  TierUnderTest tier;
  tier.SendView(7);
  EXPECT_EQ(tier.Run(std::chrono::seconds{60}), 0);
  EXPECT_EQ(tier.served_by(), 7);
  EXPECT_EQ(tier.views_taken(), 1);
}

TEST(TierProcess, ServesByTheConfiguredViewWhenTheAgentSendsNone) {
  TierUnderTest tier;
  EXPECT_EQ(tier.Run(std::chrono::milliseconds{20}), 0);
  EXPECT_EQ(tier.served_by(), 0);
  EXPECT_EQ(tier.views_taken(), 1);
}

TEST(TierProcess, EndsWithoutServingWhenItIsToldToWhileItWaitsForAView) {
  TierUnderTest tier;
  kill(getpid(), SIGTERM);
  EXPECT_EQ(tier.Run(std::chrono::seconds{60}), 0);
  EXPECT_EQ(tier.served_by(), std::nullopt);
}

}  // namespace
}  // namespace meridian::site
