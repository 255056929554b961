#include "watch/log/lines/printable.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian::watch {
namespace {

struct Printed {
  std::string text;
  bool escaped = false;
  bool colours = false;
  bool operator==(const Printed&) const = default;
};
void PrintTo(const Printed& printed, std::ostream* out) {
  *out << printed.text << (printed.escaped ? " escaped" : "")
       << (printed.colours ? " colours" : "");
}

Printed Print(std::string_view bytes) {
  EntryMarks marks;
  Printed printed;
  AppendPrintable(printed.text, bytes, &marks);
  printed.escaped = marks.Has(EntryMark::kEscaped);
  printed.colours = marks.Has(EntryMark::kColours);
  return printed;
}

TEST(Printable, TextStaysAsItIs) {
  for (std::string_view text :
       {"", "plain", "tab\tand\nnewline", "grün €uro 😀 \xed\x9f\xbf \xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(Print(text), (Printed{.text = std::string(text)}));
    EXPECT_TRUE(IsPrintable(text));
  }
}

TEST(Printable, ControlBytesAreEscaped) {
  EXPECT_EQ(Print(std::string_view("a\0b", 3)), (Printed{.text = "a\\x00b", .escaped = true}));
  EXPECT_EQ(Print("a\rb\x7f"), (Printed{.text = "a\\x0Db\\x7F", .escaped = true}));
  EXPECT_EQ(Print("\xc2\x9b"
                  "31m"),
            (Printed{.text = "\\xC2\\x9B31m", .escaped = true}));
}

TEST(Printable, BytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(Print("\xff\xfe"), (Printed{.text = "\\xFF\\xFE", .escaped = true}));
  EXPECT_EQ(Print("gr\xfcn"), (Printed{.text = "gr\\xFCn", .escaped = true}));     // Latin-1
  EXPECT_EQ(Print("\xc0\xaf"), (Printed{.text = "\\xC0\\xAF", .escaped = true}));  // overlong
  EXPECT_EQ(Print("\xe0\x9f\xbf"),
            (Printed{.text = "\\xE0\\x9F\\xBF", .escaped = true}));  // overlong
  EXPECT_EQ(Print("\xed\xa0\x80"),
            (Printed{.text = "\\xED\\xA0\\x80", .escaped = true}));  // a surrogate
  EXPECT_EQ(Print("\xf4\x90\x80\x80"), (Printed{.text = "\\xF4\\x90\\x80\\x80", .escaped = true}));
  EXPECT_EQ(Print("cut \xe2\x82"), (Printed{.text = "cut \\xE2\\x82", .escaped = true}));
}

TEST(Printable, TerminalSequencesAreRemoved) {
  EXPECT_EQ(Print("\x1b[1;31merror\x1b[0m: no"), (Printed{.text = "error: no", .colours = true}));
  EXPECT_EQ(Print("\x1b]0;title\x07text"), (Printed{.text = "text", .colours = true}));
  EXPECT_EQ(Print("\x1b]8;;http://a\x1b\\link"), (Printed{.text = "link", .colours = true}));
}

TEST(Printable, AnUnfinishedSequenceIsEscaped) {
  EXPECT_EQ(Print("\x1b[31"), (Printed{.text = "\\x1B[31", .escaped = true}));
  EXPECT_EQ(Print("\x1b]0;title"), (Printed{.text = "\\x1B]0;title", .escaped = true}));
  EXPECT_EQ(Print("\x1b]0;a\nb\x07"), (Printed{.text = "\\x1B]0;a\nb\\x07", .escaped = true}));
  EXPECT_EQ(Print("end\x1b"), (Printed{.text = "end\\x1B", .escaped = true}));
}

TEST(Printable, RandomBytesBecomePrintableAndAreNotLonger) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(random.Below(256));
    std::string printed = Print(bytes).text;
    EXPECT_TRUE(IsPrintable(printed));
    EXPECT_LE(printed.size(), bytes.size() * 4);
    EXPECT_EQ(Print(printed).text, printed);
  }
}

}  // namespace
}  // namespace meridian::watch
