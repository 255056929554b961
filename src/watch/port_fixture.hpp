// For tests: a log store behind an HTTP server on loopback, and requests to it. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/metrics.hpp"
#include "base/scratch_dir.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/server/server.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "watch/limits.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/segment/segment_fixture.hpp"
#include "watch/metrics.hpp"

namespace meridian::watch {

class PortFixture : public testing::Test {
 public:
  // Runs `test` with an open store, and a server that calls `handler_`.
  void Run(std::function<io::Task<void>()> test) { loop_.RunToEnd(RunAll(std::move(test))); }

  io::Task<http::Fetched> Post(std::string_view path, std::string_view query,
                               std::string_view body) {
    http::Request request{.method = "POST",
                          .path = path,
                          .host = "watch",
                          .body = {wire::http::BodyFraming::Kind::kContentLength, body.size()},
                          .content = AsBytes(body)};
    if (!query.empty()) request.query = query;
    auto answer = co_await http::Fetch(*client_, request, size_t{32} * 1024 * 1024,
                                       loop_.After(std::chrono::seconds{20}));
    EXPECT_TRUE(answer) << answer.error().message;
    co_return answer ? std::move(*answer) : http::Fetched{};
  }

  // All entries of the store by arrival: "app/us-east-1 text".
  io::Task<std::vector<std::string>> Stored() {
    std::vector<std::string> texts;
    auto page =
        co_await store_->Search({.order = LogOrder::kArrival, .limit = kMaxPageEntries}, kNever);
    CHECK(page);
    for (const LogEntry& entry : page->entries) {
      texts.push_back(entry.origin.tier + "/" + entry.origin.instance + " " + entry.text);
    }
    co_return texts;
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  io::BlockingPool pool_{kPoolThreads};
  ScratchDir scratch_;
  FailingFiles files_;
  Metrics metrics_;
  WatchMetrics counts_{metrics_};
  std::unique_ptr<LogStore> store_;
  http::Server::Handler handler_;
  std::unique_ptr<http::Client> client_;

 private:
  io::Task<void> RunAll(std::function<io::Task<void>()> test) {
    auto store = co_await LogStore::Open({.folder = scratch_.path(), .reserve_bytes = 0}, loop_,
                                         pool_, files_);
    CHECK(store);
    store_ = std::move(*store);
    io::Scope storing(loop_);
    storing.Spawn(store_->Run());
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {});
    CHECK(listener);
    client_ = std::make_unique<http::Client>(loop_, network_,
                                             http::Upstream{.address = (*listener)->local()});
    http::Server server(loop_, {}, [this](http::Exchange& exchange) { return handler_(exchange); });
    server.Serve(std::move(*listener));
    co_await test();
    client_.reset();
    co_await server.Drain(loop_.After(std::chrono::seconds{1}));
    storing.Cancel();
    co_await storing.Join();
  }
};

}  // namespace meridian::watch
