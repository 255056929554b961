#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {
namespace {

using std::chrono::milliseconds;

// A file from which the kernel cannot send.
class OpaqueFile final : public File {
 public:
  explicit OpaqueFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
    return file_->ReadAt(offset, into);
  }
  Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
    return file_->WriteAt(offset, data);
  }
  Task<Result<void>> Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
  Task<Result<void>> Sync() override { return file_->Sync(); }
  Task<Result<uint64_t>> Size() override { return file_->Size(); }

 private:
  std::unique_ptr<File> file_;
};

// Each test runs twice: with a file that the kernel sends, and with a file that is read and
// written.
class SendFileTest : public testing::TestWithParam<bool> {
 protected:
  struct Pair {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
  };

  void Run(std::function<Task<void>()> use) { loop_.RunToEnd(use()); }
  Task<Pair> Connected() {
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    auto client = co_await network_.Connect(listener->local(), {});
    auto server = co_await listener->Accept();
    co_return Pair{std::move(client).value(), std::move(server).value()};
  }
  Task<std::unique_ptr<File>> FileOf(std::string content) {
    auto file = co_await disk_.Open(scratch_ / "sent", OpenMode::kCreate);
    CHECK(file && co_await (*file)->WriteAt(0, AsBytes(content)));
    if (GetParam()) co_return std::move(*file);
    co_return std::make_unique<OpaqueFile>(std::move(*file));
  }
  static std::string Pattern(size_t bytes) {
    std::string text(bytes, 'x');
    for (size_t i = 0; i < bytes; i += 997) text[i] = static_cast<char>('a' + i % 26);
    return text;
  }
  static Task<std::string> ReadToEnd(Stream& stream) {
    std::string all;
    std::vector<uint8_t> space(64 << 10);
    for (;;) {
      Result<size_t> got = co_await stream.Read(space);
      if (!got) co_return all + "!" + std::string(ErrcName(got.error().code));
      if (*got == 0) co_return all;
      all += AsText({space.data(), *got});
    }
  }

  ScratchDir scratch_;
  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
  BlockingPool pool_;
  SystemDisk disk_{pool_};
};

TEST_P(SendFileTest, SpansArriveBetweenWrittenBytes) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    auto file = co_await FileOf("0123456789");
    {
      Stream::Corked corked(*pair.server);
      EXPECT_TRUE(co_await pair.server->Write(AsBytes("<")));
      EXPECT_TRUE(co_await pair.server->SendFile(*file, {.offset = 2, .bytes = 3}));
      EXPECT_TRUE(co_await pair.server->Write(AsBytes("|")));
      EXPECT_TRUE(co_await pair.server->SendFile(*file, {.offset = 9, .bytes = 1}));
      EXPECT_TRUE(co_await pair.server->SendFile(*file, {.offset = 9, .bytes = 0}));
      EXPECT_TRUE(co_await pair.server->Write(AsBytes(">")));
    }
    pair.server->ShutdownWrite();
    EXPECT_EQ(co_await ReadToEnd(*pair.client), "<234|9>");
  });
}

TEST_P(SendFileTest, BytesOfACorkedStreamArriveWhenTheLastCorkEnds) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    auto outer = std::make_unique<Stream::Corked>(*pair.server);
    {
      Stream::Corked inner(*pair.server);
      EXPECT_TRUE(co_await pair.server->Write(AsBytes("a")));
    }
    std::vector<uint8_t> space(10);
    auto early = co_await pair.client->Read(space, loop_.After(milliseconds(1)));
    EXPECT_FALSE(early);
    outer.reset();
    auto got = co_await pair.client->Read(space);
    EXPECT_EQ(got.value(), 1U);
  });
}

TEST_P(SendFileTest, SenderWaitsForItsReaderAndLosesNothing) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    std::string large = Pattern(8 << 20);
    auto file = co_await FileOf(large);
    Scope scope(loop_);
    bool sent = false;
    auto send = [&]() -> Task<void> {
      EXPECT_TRUE(co_await pair.server->SendFile(*file, {.offset = 0, .bytes = large.size()}));
      sent = true;
      pair.server->ShutdownWrite();
    };
    scope.Spawn(send());
    (void)co_await pair.client->Readable();
    EXPECT_FALSE(sent);
    EXPECT_TRUE(co_await ReadToEnd(*pair.client) == large);
    co_await scope.Join();
  });
}

TEST_P(SendFileTest, FileThatIsShorterThanItsSpanIsAnError) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    auto file = co_await FileOf("0123456789");
    auto sent = co_await pair.server->SendFile(*file, {.offset = 8, .bytes = 3});
    EXPECT_EQ(sent.error().code, Errc::kIo);
    pair.server->ShutdownWrite();
    EXPECT_EQ(co_await ReadToEnd(*pair.client), "89");
    pair = co_await Connected();
    EXPECT_TRUE(co_await file->Truncate(4));
    sent = co_await pair.server->SendFile(*file, {.offset = 4, .bytes = 1});
    EXPECT_EQ(sent.error().code, Errc::kIo);
  });
}

TEST_P(SendFileTest, SendingToAPeerThatDoesNotReadEndsAtItsDeadline) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    auto file = co_await FileOf(std::string(64 << 20, 'x'));
    auto sent = co_await pair.server->SendFile(*file, {.offset = 0, .bytes = 64 << 20},
                                               loop_.After(milliseconds(20)));
    EXPECT_EQ(sent.error().code, Errc::kTimeout);
  });
}

TEST_P(SendFileTest, CancellationAndCloseEndASendThatWaits) {
  for (bool close : {false, true}) {
    Result<void> sent;
    Run([&]() -> Task<void> {
      Pair pair = co_await Connected();
      auto file = co_await FileOf(std::string(64 << 20, 'x'));
      Scope scope(loop_);
      auto send = [&]() -> Task<void> {
        sent = co_await pair.server->SendFile(*file, {.offset = 0, .bytes = 64 << 20});
      };
      scope.Spawn(send());
      while (!pair.server->write_waits()) (void)co_await Sleep(milliseconds(1));
      close ? pair.server->Close() : scope.Cancel();
      co_await scope.Join();
    });
    EXPECT_EQ(sent.error().code, close ? Errc::kClosed : Errc::kCancelled);
  }
}

TEST_P(SendFileTest, SendingToAPeerThatIsGoneIsAnError) {
  Run([&]() -> Task<void> {
    Pair pair = co_await Connected();
    auto file = co_await FileOf("0123456789");
    pair.client->Abort();
    EXPECT_TRUE(co_await pair.server->Hangup());
    auto sent = co_await pair.server->Write(AsBytes("x"));
    EXPECT_FALSE(sent);
    pair.server->Close();
    sent = co_await pair.server->SendFile(*file, {.offset = 0, .bytes = 10});
    EXPECT_EQ(sent.error().code, Errc::kClosed);
  });
}

INSTANTIATE_TEST_SUITE_P(Files, SendFileTest, testing::Bool());

}  // namespace
}  // namespace meridian::io
