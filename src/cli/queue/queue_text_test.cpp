#include "cli/queue/queue_text.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/report/text_table.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Ranges kRanges = {{{"orders", 0}, {.leader = 1, .begin = 0, .end = 12}},
                        {{"orders", 1}, {.leader = 1, .begin = 90, .end = 100}},
                        {{"uploads", 0}, {.leader = 1, .begin = 0, .end = 0}}};

TEST(TextTable, ColumnsAreAlignedAndLinesHaveNoSpacesAtTheirEnds) {
  TextTable table({{"NAME"}, {"SIZE", true}, {"NOTE"}});
  table.Add({"a", "5", "x"});
  table.Add({"größer", "1000", ""});
  EXPECT_EQ(table.Text(),
            "NAME    SIZE  NOTE\n"
            "a          5  x\n"
            "größer  1000\n");
}

TEST(TextTable, ControlCharactersDoNotReachTheTerminal) {
  TextTable table({{"NAME"}});
  table.Add({"a\x1b[31m\n"});
  EXPECT_EQ(table.Text(), "NAME\na?[31m?\n");
}

TEST(QueueText, TopicsAreSummedOverTheirPartitions) {
  EXPECT_EQ(TopicsText(kRanges),
            "TOPIC    PARTITIONS  MESSAGES\n"
            "orders            2        22\n"
            "uploads           1         0\n");
  EXPECT_EQ(TopicsText({}), "There are no topics.\n");
  auto json = wire::json::Parse(TopicsJson(kRanges));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->ElementsOf("topics")[0].TextOf("topic"), "orders");
  EXPECT_EQ(json->ElementsOf("topics")[0].IntegerOf("messages"), 22);
}

TEST(QueueText, ATopicHasItsPartitionsAndKeys) {
  std::string text = TopicText("uploads", {{{"uploads", 0}, {.leader = 2, .begin = 3, .end = 9}}},
                               {{"cleanup.policy", "delete", false}, {"retention.ms", "5", true}});
  EXPECT_EQ(text,
            "uploads\n\n"
            "PARTITION  LEADER  BEGIN  END  MESSAGES\n"
            "        0       2      3    9         6\n"
            "\n"
            "KEY             VALUE   SET BY\n"
            "cleanup.policy  delete  default\n"
            "retention.ms    5       topic\n");
}

GroupReport Thumbnails() {
  return {.name = "thumbnails",
          .state = "Stable",
          .members = {{.client_id = "kafkajs", .host = "127.0.0.1", .partitions = {{"orders", 1}}}},
          .committed = {{{"orders", 0}, 10}, {{"gone", 0}, 4}}};
}

TEST(QueueText, LagCountsFromTheCommittedOffsetOrTheBeginning) {
  GroupLag lag = LagOf(Thumbnails(), kRanges);
  ASSERT_EQ(lag.rows.size(), 2u) << "a topic that is gone is left out";
  EXPECT_EQ(lag.rows[0].lag(), 2);
  EXPECT_EQ(lag.rows[1].lag(), 10) << "nothing is committed";
  EXPECT_EQ(lag.lag(), 12);
  EXPECT_EQ(LagText({lag}),
            "GROUP       TOPIC   PARTITION  COMMITTED  END  LAG  CONSUMER\n"
            "thumbnails  orders          0         10   12    2  -\n"
            "thumbnails  orders          1          -  100   10  kafkajs at 127.0.0.1\n");
  EXPECT_EQ(GroupsText({lag}),
            "GROUP       STATE   MEMBERS  PARTITIONS  LAG\n"
            "thumbnails  Stable        1           2   12\n");
  auto json = wire::json::Parse(GroupsJson({lag}));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->ElementsOf("groups")[0].ElementsOf("partitions")[1].IntegerOf("lag"), 10);
}

TEST(QueueText, ACommittedOffsetBelowTheLogStartCountsFromThere) {
  GroupReport group{.name = "g", .state = "Empty", .committed = {{{"orders", 1}, 5}}};
  EXPECT_EQ(LagOf(group, kRanges).lag(), 10);
  group.committed = {{{"orders", 1}, 200}};
  EXPECT_EQ(LagOf(group, kRanges).lag(), 0);
}

TEST(QueueText, ARecordIsALineOfJson) {
  wire::kafka::Record record{.offset = 3,
                             .timestamp_ms = 1000,
                             .key = "k",
                             .value = "two\nlines",
                             .headers = {{.key = "source", .value = "camera"}, {.key = "none"}}};
  EXPECT_EQ(RecordJson({"uploads", 2}, record),
            "{\"topic\":\"uploads\",\"partition\":2,\"offset\":3,\"timestamp_ms\":1000,"
            "\"key\":\"k\",\"value\":\"two\\nlines\",\"headers\":[{\"key\":\"source\","
            "\"value\":\"camera\"},{\"key\":\"none\",\"value\":null}]}\n");
}

TEST(QueueText, BytesThatAreNoTextAreInBase64) {
  auto value = [](std::string_view bytes) {
    auto json = wire::json::Parse(RecordJson({"t", 0}, {.value = bytes}));
    EXPECT_TRUE(json);
    return json ? json->TextOf("value_base64") : "";
  };
  EXPECT_EQ(value("\xff"), "/w==");
  EXPECT_EQ(value("\xff\xfe"), "//4=");
  EXPECT_EQ(value("\xff\xd8\xff"), "/9j/");
  EXPECT_EQ(value(std::string_view("\xff\0\1\2", 4)), "/wABAg==");
  EXPECT_EQ(value("\xc0\x80"), "wIA=") << "a longer form than needed";
  EXPECT_EQ(value("\xed\xa0\x80"), "7aCA") << "half of a pair";
  EXPECT_EQ(value("\xf4\x90\x80\x80"), "9JCAgA==") << "past the last character";
  EXPECT_EQ(value("\xe2\x82"), "4oI=") << "cut off";
  EXPECT_EQ(value("größe €"), "");
}

TEST(QueueText, ChangesShowWhatWasBefore) {
  std::vector<OffsetChange> changes = {
      {.partition = {"orders", 0}, .before = 10, .after = 0, .end = 12},
      {.partition = {"orders", 1}, .after = 90, .end = 100}};
  EXPECT_EQ(ChangesText(changes),
            "TOPIC   PARTITION  BEFORE  AFTER  END\n"
            "orders          0      10      0   12\n"
            "orders          1       -     90  100\n");
  EXPECT_THAT(ChangesJson("g", changes, true), HasSubstr("\"dry_run\": true"));
}

TEST(QueueText, ALetterShowsTheBeginningOfItsValue) {
  const std::string value(100, 'x');
  EXPECT_THAT(LetterCells({"t", 1}, {.offset = 4, .timestamp_ms = 0, .key = "k", .value = value}),
              ElementsAre("1", "4", "1970-01-01T00:00:00.000Z", "k", std::string(40, 'x') + "…"));
  EXPECT_THAT(LetterCells({"t", 1}, {.offset = 4, .timestamp_ms = 0, .value = "\xff"}),
              ElementsAre("1", "4", "1970-01-01T00:00:00.000Z", "null", "1 bytes"));
  const std::string wide = std::string(39, 'x') + "€uro";
  EXPECT_EQ(LetterCells({"t", 1}, {.value = wide})[4], std::string(39, 'x') + "…");
}

}  // namespace
}  // namespace meridian::cli
