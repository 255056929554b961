#include "cli/logs/log_text.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

watch::LogEntry Entry() {
  watch::LogEntry entry{
      .origin = {.dc = "us-east", .host = "h1", .tier = "app", .instance = "us-east-1"},
      .severity = watch::Severity::kError,
      .text = "disk full"};
  entry.time = std::chrono::sys_days(std::chrono::year{2026} / 11 / 30) +
               std::chrono::microseconds{36'000'123'456};
  entry.arrival = entry.time;
  return entry;
}

TEST(LogText, ALineHasTimePlaceLevelAndText) {
  EXPECT_EQ(LogLineText(Entry(), false),
            "2026-11-30T10:00:00.123Z us-east app/us-east-1 error   disk full\n");
  watch::LogEntry bare;
  bare.text = "x";
  EXPECT_EQ(LogLineText(bare, false), "1970-01-01T00:00:00.000Z - - -       x\n");
}

TEST(LogText, FurtherLinesAreIndentedAndFieldsFollow) {
  watch::LogEntry entry = Entry();
  entry.text = "boom\n\tat main";
  entry.fields = R"({"code":7})";
  EXPECT_EQ(LogLineText(entry, false),
            "2026-11-30T10:00:00.123Z us-east app/us-east-1 error   boom\n    \tat main "
            "{\"code\":7}\n");
}

TEST(LogText, ColoursAreForTerminals) {
  EXPECT_EQ(LogLineText(Entry(), true),
            "\x1b[2m2026-11-30T10:00:00.123Z\x1b[0m us-east app/us-east-1 \x1b[31merror  \x1b[0m "
            "disk full\n");
}

TEST(LogText, AsJsonALineIsOneObjectWithoutWhatIsEmpty) {
  EXPECT_EQ(LogLineJson(Entry()),
            R"({"time":"2026-11-30T10:00:00.123456Z","dc":"us-east","host":"h1","tier":"app",)"
            R"("instance":"us-east-1","level":"error","text":"disk full"})"
            "\n");
  watch::LogEntry entry = Entry();
  entry.arrival += std::chrono::seconds{1};
  entry.trace_id = "4bf9";
  entry.fields = R"({"code":7})";
  entry.text = "a\nb";
  entry.marks.Set(watch::EntryMark::kJoined);
  EXPECT_EQ(LogLineJson(entry),
            R"({"time":"2026-11-30T10:00:00.123456Z","arrival":"2026-11-30T10:00:01.123456Z",)"
            R"("dc":"us-east","host":"h1","tier":"app","instance":"us-east-1","level":"error",)"
            R"("trace":"4bf9","marks":["joined"],"text":"a\nb","fields":{"code":7}})"
            "\n");
}

}  // namespace
}  // namespace meridian::cli
