// Two data centers, of which one copies the lines of the other over loopback. For tests.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/random.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "watch/copies/copy_position.hpp"
#include "watch/copies/copy_server.hpp"
#include "watch/copies/limits.hpp"
#include "watch/copies/log_copy.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {

// us-east has lines, us-west copies them over a connection on loopback.
class LogCopyTest : public testing::Test {
 public:
  // A run of both.
  void Run(std::function<io::Task<void>()> use) {
    io::EpollDriver driver;
    io::Loop loop(driver);
    io::SystemNetwork network(driver);
    io::BlockingPool pool(8);
    loop_ = &loop;
    network_ = &network;
    pool_ = &pool;
    loop.RunToEnd(RunOn(use));
  }

  void Add(std::string text, std::string tier = "edge", Severity severity = Severity::kInfo) {
    LogEntry entry{.origin = {.dc = dc_, .tier = std::move(tier)}, .severity = severity};
    entry.time = entry.arrival = ToLogTime(loop_->Wall());
    entry.text = std::move(text);
    EXPECT_TRUE(source_->Add(std::move(entry)));
  }
  void AddNumbered(int count) {
    for (int i = 0; i < count; ++i) {
      expected_.push_back(fmt::format("line {}", expected_.size()));
      Add(expected_.back());
    }
  }
  io::Task<std::vector<std::string>> Copied() {
    std::vector<std::string> texts;
    if (copy_->store() == nullptr) co_return texts;
    LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
    while (true) {
      auto page = co_await copy_->store()->Search(query, kNever);
      CHECK(page);
      for (const LogEntry& entry : page->entries) texts.push_back(entry.text);
      if (!page->next) co_return texts;
      query.after = page->next;
    }
  }
  io::Task<void> UntilCopied(size_t entries) {
    const TimePoint end = loop_->After(std::chrono::seconds{60});
    while ((co_await Copied()).size() < entries && loop_->Now() < end) {
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
    }
    EXPECT_GE((co_await Copied()).size(), entries);
  }
  io::Task<void> Until(std::function<bool()> done) {
    const TimePoint end = loop_->After(std::chrono::seconds{60});
    while (!done() && loop_->Now() < end) (void)co_await io::Sleep(std::chrono::milliseconds{5});
    EXPECT_TRUE(done());
  }
  std::filesystem::path PositionFile() const { return folder_ / "copies" / "us-east" / "position"; }

  ScratchDir folder_;
  FailingFiles files_;
  FailingFiles source_files_;
  std::unique_ptr<LogStore> source_;
  std::unique_ptr<LogCopy> copy_;
  std::unique_ptr<CopyServer> server_;
  std::vector<std::string> expected_;
  std::string dc_ = "us-east";
  std::string allowed_ = "us-west";
  uint64_t source_bytes_ = uint64_t{1} << 30;  // of its store
  uint64_t copy_bytes_ = uint64_t{1} << 30;
  uint32_t first_segment_ = 1;
  Duration missing_after_ = kCopyMissing;
  std::optional<Endpoint> other_source_;  // is dialled instead
  bool cut_ = false;                      // no connection comes about
  std::vector<io::Stream*> open_;
  int dialled_ = 0;
  std::unique_ptr<io::Scope> storing_;
  io::Loop* loop_ = nullptr;
  io::SystemNetwork* network_ = nullptr;
  io::BlockingPool* pool_ = nullptr;

  // Lines that do not get smaller on the disk, of a mebibyte or more.
  void AddMuch() {
    Random random(17);
    for (int i = 0; i < 4000; ++i) {
      std::string text;
      while (text.size() < 400) text += fmt::format("{:016x} ", random.Next());
      Add(std::move(text));
    }
  }
  io::Task<void> Cut() {
    cut_ = true;
    for (io::Stream* stream : open_) stream->Close();
    co_await Until([&] { return !copy_->status().connected && open_.empty(); });
  }
  io::Task<void> UntilLast(std::string text) {
    const TimePoint end = loop_->After(std::chrono::seconds{60});
    std::vector<std::string> texts = co_await Copied();
    while ((texts.empty() || texts.back() != text) && loop_->Now() < end) {
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
      texts = co_await Copied();
    }
    EXPECT_THAT(texts, ::testing::Contains(text));
  }
  io::Task<std::vector<std::string>> CopiedGaps() {
    std::vector<std::string> texts = co_await Copied();
    std::erase_if(texts, [](const std::string& each) { return !each.contains("may be missing"); });
    co_return texts;
  }

  // A new process of us-east, with what its store had written.
  io::Task<void> RestartSource() {
    server_->Close();
    cut_ = true;
    for (io::Stream* stream : open_) stream->Close();
    co_await Until([&] { return open_.empty(); });
    co_await StopSource();
    source_files_.writes_left = ~uint64_t{0};
    co_await StartSource();
    cut_ = false;
  }

 private:
  io::Task<void> StartSource() {
    auto store = co_await LogStore::Open({.folder = folder_ / "log",
                                          .max_bytes = source_bytes_,
                                          .reserve_bytes = 0,
                                          .segment_bytes = kMinSegmentBytes,
                                          .first_segment = first_segment_},
                                         *loop_, *pool_, source_files_);
    CHECK(store);
    source_ = std::move(*store);
    server_->Open(*source_);
    storing_ = std::make_unique<io::Scope>(*loop_);
    storing_->Spawn(source_->Run());
  }
  io::Task<void> StopSource() {
    storing_->Cancel();
    co_await storing_->Join();
    storing_.reset();
    source_.reset();
  }
  io::Task<Result<std::unique_ptr<io::Stream>>> Dial(Endpoint to, TimePoint deadline) {
    ++dialled_;
    if (cut_) co_return Fail(Errc::kUnavailable, "the link is cut");
    co_return co_await network_->Connect(other_source_.value_or(to), {.deadline = deadline});
  }
  io::Task<void> ServeOne(std::unique_ptr<io::Stream> stream) {
    open_.push_back(stream.get());
    io::Stream* which = stream.get();
    co_await server_->Serve(std::move(stream),
                            [this](std::string_view name) { return name == allowed_; });
    std::erase(open_, which);
  }
  io::Task<void> Accept(io::Listener& listener, io::Scope& serving) {
    while (true) {
      auto stream = co_await listener.Accept();
      if (!stream) co_return;
      serving.Spawn(ServeOne(std::move(*stream)));
    }
  }
  io::Task<void> RunOn(std::function<io::Task<void>()>& use) {
    std::filesystem::create_directory(folder_ / "log");
    server_ = std::make_unique<CopyServer>(*loop_);
    co_await StartSource();
    auto listener = network_->Listen({IpAddress::V4(127, 0, 0, 1), 0}, {});
    CHECK(listener);
    const Endpoint at = (*listener)->local();
    LogCopyOptions options{.here = "us-west",
                           .data_center = "us-east",
                           .folder = folder_ / "copies" / "us-east",
                           .max_bytes = copy_bytes_,
                           .missing_after = missing_after_};
    options.dial = [this, at](TimePoint deadline) { return Dial(at, deadline); };
    copy_ = std::make_unique<LogCopy>(std::move(options), *loop_, *pool_, files_);
    io::Scope serving(*loop_);
    serving.Spawn(Accept(**listener, serving));
    io::Scope copying(*loop_);
    copying.Spawn(copy_->Run());
    co_await use();
    copying.Cancel();
    co_await copying.Join();
    server_->Close();
    serving.Cancel();
    co_await serving.Join();
    co_await StopSource();
    copy_.reset();
    server_.reset();
  }
};

}  // namespace meridian::watch
