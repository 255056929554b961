#include "site/load/diagnostics.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

using testing::HasSubstr;
using testing::Not;

Diagnostic At(uint32_t line, uint32_t column, uint32_t width = 1) {
  return {.where = {.line = line, .column = column, .width = width}, .problem = "p", .hint = ""};
}

TEST(Diagnostics, AreSortedByPositionAndNoneStandsTwice) {
  Diagnostics diagnostics("f", "ab\ncd\n");
  diagnostics.Add(At(2, 1));
  diagnostics.Add(At(1, 2));
  diagnostics.Add(At(2, 1));
  diagnostics.Add({.where = {}, .problem = "whole", .hint = "do this"});
  EXPECT_EQ(diagnostics.Render(),
            "f: whole\n  do this\n"
            "f:1:2: p\n    1 | ab\n      |  ^\n"
            "f:2:1: p\n    2 | cd\n      | ^\n"
            "f: 3 errors\n");
}

TEST(Diagnostics, ThePlaceIsUnderlinedWithinItsLineOnly) {
  Diagnostics diagnostics("f", "x = 12\r\n");
  diagnostics.Add(At(1, 5, 99));
  EXPECT_THAT(diagnostics.Render(), HasSubstr("| x = 12\n      |     ^^\n"));
}

TEST(Diagnostics, PlaceAfterTheEndOfTheTextStillHasACaret) {
  Diagnostics diagnostics("f", "x =");
  diagnostics.Add(At(1, 4));
  diagnostics.Add(At(7, 3));
  EXPECT_THAT(diagnostics.Render(), HasSubstr("1 | x =\n      |    ^\n"));
  EXPECT_THAT(diagnostics.Render(), HasSubstr("7 | \n      | ^\n"));
}

TEST(Diagnostics, TheFirstOfTooManyAreKeptAndTheRestCounted) {
  Diagnostics diagnostics("f", "");
  for (uint32_t line = kMaxDiagnostics + 5; line >= 1; --line) diagnostics.Add(At(line, 1));
  EXPECT_EQ(diagnostics.list().size(), kMaxDiagnostics);
  EXPECT_EQ(diagnostics.list().back().where.line, kMaxDiagnostics);
  EXPECT_THAT(diagnostics.Render(), HasSubstr("f: 105 errors, the first 100 shown\n"));
}

TEST(Diagnostics, QuotedLineCannotDriveTheTerminal) {
  Diagnostics diagnostics("f", "a\x1b]0;x\x07\xc2\x9b\xff\xe2\x82 \xe2\x82\xac \x7f");
  diagnostics.Add(At(1, 1));
  EXPECT_THAT(diagnostics.Render(), HasSubstr("| a?]0;x?????? \xe2\x82\xac ?\n"));
}

TEST(Diagnostics, MessageThatRepeatsTheFileCannotDriveTheTerminal) {
  Diagnostics diagnostics("f", "");
  diagnostics.Add({.where = {}, .problem = "key \x1b[31m", .hint = "not \x07"});
  EXPECT_THAT(diagnostics.Render(), HasSubstr("f: key ?[31m\n  not ?\n"));
}

TEST(Diagnostics, ColorMarksPlaceAndCaretOnlyWhenAskedFor) {
  Diagnostics diagnostics("f", "ab\n");
  diagnostics.Add(At(1, 1));
  EXPECT_THAT(diagnostics.Render(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(diagnostics.Render({.color = true}), HasSubstr("\x1b[1;31m^\x1b[0m"));
}

TEST(Diagnostics, QuotedLineDoesNotShowAPassword) {
  Diagnostics diagnostics(
      "f", "u = [\"a://b@c:1\", \"p://u:s3cret@h:1/d\", \"p://h?password=s3cret&x\"]");
  diagnostics.Add(At(1, 1));
  EXPECT_THAT(diagnostics.Render(), Not(HasSubstr("s3cret")));
  EXPECT_THAT(diagnostics.Render(),
              HasSubstr("[\"a://b@c:1\", \"p://u:******@h:1/d\", \"p://h?password=******&x\"]"));
}

TEST(WantsColor, OnlyOnATerminalAndOnlyWithoutNoColor) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_TRUE(WantsColor(terminal));
  EXPECT_FALSE(WantsColor(file));
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(WantsColor(terminal));
  setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(WantsColor(terminal));
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(WantsColor(terminal));
  close(terminal);
  close(file);
}

}  // namespace
}  // namespace meridian::site
