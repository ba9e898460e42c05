/* The groups of test_store; each gives the number of failed tests. */
#ifndef TSB_STORE_TESTS_H
#define TSB_STORE_TESTS_H

int store_approver_tests(void);
int store_batch_tests(void);
int store_find_tests(void);
int store_growth_tests(void);
int store_hosts_tests(void);
int store_imported_tests(void);
int store_owned_tests(void);
int store_task_tests(void);
int store_schema_tests(void);
int store_fault_tests(void);
int store_server_tests(void);

#endif
