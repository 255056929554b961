#include "agent/peers/peer_poller.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "agent/agent_world.hpp"
#include "agent/peers/peers.hpp"
#include "base/bytes.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {
namespace {

using site::DataCenterState;
using std::chrono::seconds;

class PeerPollerTest : public testing::Test, public AgentWorld {
 protected:
  // A fake of us-west's agent: it uses the certificate of `certificate_of` and answers with
  // `status` and `body_`.
  struct OtherAgent {
    std::string certificate_of = "us-west";
    int status = 200;
  };

  std::unique_ptr<http::Server> Serve(const OtherAgent& agent) {
    auto server = std::make_unique<http::Server>(
        loop_, http::ServerOptions{.tls = ServerTls(agent.certificate_of)},
        [this, status = agent.status](http::Exchange& exchange) -> io::Task<void> {
          ++asked_;
          (void)co_await http::RespondText(exchange, status, body_);
        });
    server->Serve(network_.Listen({site_.datacenters[1].address, site_.ports.admin}, {}).value());
    return server;
  }

  // us-west's state in us-east's view.
  DataCenterState State() const {
    site::DataCenterView entry{.name = "us-west"};
    peers_.Describe(entry);
    return entry.state;
  }

  // Polls until `done`, while `other` runs, which may be null.
  void PollUntil(std::function<bool()> done, std::unique_ptr<http::Server> other) {
    auto main = [&]() -> io::Task<void> {
      PeerPoller poller(context_, ClientTls("us-east"), peers_, [this] { changed_.WakeAll(); });
      io::Scope scope(loop_);
      scope.Spawn(poller.Run());
      TimePoint deadline = loop_.After(seconds(10));
      while (!done() && co_await changed_.Wait(deadline)) {
      }
      EXPECT_TRUE(done());
      scope.Cancel();
      co_await scope.Join();
      if (other) co_await other->Drain(loop_.Now());
    };
    loop_.RunToEnd(main());
  }

  std::string ViewOf(DataCenterState state) const {
    site::SiteView view{.number = 1};
    for (const site::DataCenter& dc : site_.datacenters) {
      view.datacenters.push_back({.name = dc.name, .address = dc.address, .state = state});
    }
    return site::ToJson(view).value();
  }

  Context context_ = MakeContext();
  Peers peers_{site_, "us-east"};
  io::WaitQueue changed_;
  std::string body_ = ViewOf(DataCenterState::kServing);
  int asked_ = 0;
};

TEST_F(PeerPollerTest, AnAgentThatAnswersIsBelievedAboutItself) {
  PollUntil([&] { return State() == DataCenterState::kServing; }, Serve({}));
  EXPECT_TRUE(peers_.reachable("us-west"));
}

TEST_F(PeerPollerTest, AChangeIsHeardWithTheNextAnswer) {
  auto other = Serve({});
  PollUntil(
      [&] {
        if (State() == DataCenterState::kServing) body_ = ViewOf(DataCenterState::kDraining);
        return State() == DataCenterState::kDraining;
      },
      std::move(other));
  EXPECT_GE(asked_, 2);
}

TEST_F(PeerPollerTest, WhereNobodyAnswersADataCenterIsDown) {
  PollUntil([&] { return State() == DataCenterState::kDown; }, nullptr);
  EXPECT_FALSE(peers_.reachable("us-west"));
}

TEST_F(PeerPollerTest, WhoeverShowsAnotherDataCentersCertificateIsNotBelieved) {
  PollUntil([&] { return State() == DataCenterState::kDown; },
            Serve({.certificate_of = "us-east"}));
  EXPECT_EQ(asked_, 0);
}

TEST_F(PeerPollerTest, AnAnswerThatIsNoViewCountsAsNone) {
  body_ = "{}";
  PollUntil([&] { return State() == DataCenterState::kDown; }, Serve({}));
  EXPECT_GE(asked_, 2);
}

TEST_F(PeerPollerTest, ARefusalCountsAsNoAnswer) {
  PollUntil([&] { return State() == DataCenterState::kDown; }, Serve({.status = 401}));
  EXPECT_GE(asked_, 2);
  EXPECT_FALSE(peers_.reachable("us-west"));
}

}  // namespace
}  // namespace meridian::agent
