#include "watch/output_intake.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/tier/output_frame.hpp"
#include "watch/port_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using site::OutputFrame;
using site::OutputKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OutputIntakeTest : public PortFixture {
 protected:
  OutputIntakeTest() {
    handler_ = [this](http::Exchange& exchange) { return intake_.Serve(exchange); };
  }

  // An agent's connection, for `use`. The result: the status of the answer.
  io::Task<int> Connect(std::function<io::Task<void>(io::Stream&)> use) {
    http::Sent sent = co_await client_->Send(
        {.path = site::kOutputPath, .host = "watch", .upgrade = site::kOutputProtocol});
    EXPECT_TRUE(sent);
    if (!sent) co_return 0;
    auto head = co_await sent->ReadHead();
    EXPECT_TRUE(head);
    if (!head) co_return 0;
    if ((*head)->status == 101) co_await use(sent->TakeUpgraded().stream);
    co_return (*head)->status;
  }

  // Sends the frames, and waits until all of them are taken. False: the connection ended before.
  io::Task<bool> Send(io::Stream& stream, const std::vector<OutputFrame>& frames) {
    std::string text;
    for (const OutputFrame& frame : frames) site::AppendOutputFrame(frame, &text);
    sent_ += text.size();
    if (!co_await stream.Write(AsBytes(text))) co_return false;
    Buffer in(4096);
    while (true) {
      auto got = co_await stream.Read(in.Prepare(4096), loop_.After(20s));
      if (!got || *got == 0) co_return false;
      in.Commit(*got);
      while (auto taken = site::TakeTaken(in)) {
        if (*taken == sent_) co_return true;
      }
    }
  }

  OutputFrame Origin(uint32_t source, std::string instance) {
    return {.kind = OutputKind::kOrigin,
            .source = source,
            .origin = {.tier = "app", .instance = std::move(instance), .host = "h1"}};
  }
  OutputFrame Output(uint32_t source, std::string bytes) {
    return {.kind = OutputKind::kBytes,
            .source = source,
            .time = loop_.Wall(),
            .bytes = std::move(bytes)};
  }
  OutputFrame End(uint32_t source) {
    return {.kind = OutputKind::kEnd, .source = source, .time = loop_.Wall()};
  }

  OutputIntake intake_{loop_, "us-east"};
  uint64_t sent_ = 0;
};

TEST_F(OutputIntakeTest, LinesAreStoredWithTheirOriginHoweverFramesCutThem) {
  Run([&]() -> io::Task<void> {
    intake_.Open(*store_);
    co_await Connect([&](io::Stream& stream) -> io::Task<void> {
      EXPECT_TRUE(co_await Send(
          stream, {Origin(1, "us-east-1"), Origin(2, "us-east-2"), Output(1, "first li"),
                   Output(2, "other\nrest"), Output(1, "ne\n"), End(1), End(2)}));
    });
    EXPECT_THAT(co_await Stored(), ElementsAre("app/us-east-1 first line", "app/us-east-2 other",
                                               "app/us-east-2 rest"));
    auto page = co_await store_->Search({.terms = {"first"}}, kNever);
    EXPECT_EQ(page->entries.at(0).origin.dc, "us-east");
    EXPECT_EQ(page->entries.at(0).origin.host, "h1");
  });
}

TEST_F(OutputIntakeTest, ALineIsStoredSoonThoughNothingFollows) {
  Run([&]() -> io::Task<void> {
    intake_.Open(*store_);
    co_await Connect([&](io::Stream& stream) -> io::Task<void> {
      EXPECT_TRUE(co_await Send(stream, {Origin(1, "us-east-1"), Output(1, "alone\n")}));
      EXPECT_TRUE(co_await store_->AwaitEntry((co_await store_->Search({}, kNever))->end_sequence,
                                              loop_.After(20s)));
      EXPECT_THAT(co_await Stored(), ElementsAre("app/us-east-1 alone"));
    });
  });
}

TEST_F(OutputIntakeTest, TheEndOfTheConnectionIsTheEndOfEachLine) {
  Run([&]() -> io::Task<void> {
    intake_.Open(*store_);
    co_await Connect([&](io::Stream& stream) -> io::Task<void> {
      EXPECT_TRUE(co_await Send(stream, {Origin(1, "us-east-1"), Output(1, "half")}));
      EXPECT_EQ(intake_.counts().sources, 1U);
      stream.Close();
    });
    const TimePoint deadline = loop_.After(20s);
    while (intake_.counts().sources > 0 && loop_.Now() < deadline) (void)co_await io::Sleep(1ms);
    EXPECT_THAT(co_await Stored(), ElementsAre("app/us-east-1 half"));
  });
}

TEST_F(OutputIntakeTest, WhatTheAgentDroppedIsAnEntryInItsPlace) {
  Run([&]() -> io::Task<void> {
    intake_.Open(*store_);
    co_await Connect([&](io::Stream& stream) -> io::Task<void> {
      EXPECT_TRUE(co_await Send(stream, {Origin(1, "us-east-1"),
                                         Output(1, "before"),
                                         {.kind = OutputKind::kDropped,
                                          .source = 1,
                                          .time = loop_.Wall(),
                                          .dropped_lines = 7,
                                          .dropped_bytes = 700},
                                         End(1),
                                         Output(1, "after\n"),
                                         End(1)}));
    });
    EXPECT_THAT(co_await Stored(),
                ElementsAre("app/us-east-1 before", HasSubstr("7 lines dropped (700 bytes)"),
                            "app/us-east-1 after"));
    EXPECT_EQ(intake_.counts().agent_dropped_lines, 7U);
    EXPECT_EQ(intake_.counts().agent_dropped_bytes, 700U);
  });
}

TEST_F(OutputIntakeTest, ABrokenStreamIsClosedAndNothingOfItIsStored) {
  Run([&]() -> io::Task<void> {
    intake_.Open(*store_);
    for (const std::vector<OutputFrame>& frames :
         {std::vector{Output(1, "of nobody\n")}, std::vector{Origin(1, "a"), Origin(1, "b")}}) {
      sent_ = 0;
      co_await Connect([&](io::Stream& stream) -> io::Task<void> {
        EXPECT_FALSE(co_await Send(stream, frames));
      });
    }
    EXPECT_THAT(co_await Stored(), IsEmpty());
  });
}

TEST_F(OutputIntakeTest, NothingIsTakenBeforeTheStoreIsOpenAndAfterItsEnd) {
  Run([&]() -> io::Task<void> {
    auto nothing = [](io::Stream&) -> io::Task<void> { co_return; };
    EXPECT_EQ(co_await Connect(nothing), 503);
    intake_.Open(*store_);
    EXPECT_EQ(co_await Connect([&](io::Stream& stream) -> io::Task<void> {
                EXPECT_TRUE(co_await Send(stream, {Origin(1, "us-east-1")}));
                intake_.Close();
                // What comes now is not taken, so the agent keeps it.
                EXPECT_FALSE(co_await Send(stream, {Output(1, "late\n")}));
              }),
              101);
    EXPECT_EQ(co_await Connect(nothing), 503);
    EXPECT_THAT(co_await Stored(), IsEmpty());
  });
}

}  // namespace
}  // namespace meridian::watch
