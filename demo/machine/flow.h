#pragma once
void inc_rm(void);
void dec_rm(void);
void push_rm(void);
